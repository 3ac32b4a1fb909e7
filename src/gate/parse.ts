import type { z } from 'zod';
import { Failure } from '../failure.ts';
import type { Tool } from '../toolsets/tool.ts';

/** Longest arguments, in characters of JSON, that are looked at. */
const LARGEST_INPUT = 8 * 1024 * 1024;

/** What is told of a long list of mistakes. */
const MOST = 10;

const listed = (parts: readonly string[], between: string): string =>
  [...parts.slice(0, MOST), ...(parts.length > MOST ? [`and ${parts.length - MOST} more`] : [])].join(between);

/** What each way of writing a value was refused for, where there are several: zod itself says no more than "Invalid input". */
const reasonOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_union' && issue.errors.length > 0
    ? [...new Set(issue.errors.flat().map(reasonOf))].join(', or ')
    : issue.message.replace(/^Invalid input: (.*received undefined$)?/, (_, missing) => (missing ? 'is missing' : ''));

const describe = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') return `unknown parameter ${listed(issue.keys, ', ')}`;
  const where = issue.path.map(String).join('.');
  return where ? `${where}: ${reasonOf(issue)}` : reasonOf(issue);
};

/** Characters of JSON; of what is nested too deeply to be written as such, infinitely many. */
function lengthOf(args: unknown): number {
  try {
    return JSON.stringify(args).length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The tool's input as its schema has it. Every issue is told at once, unknown parameters with the known ones. */
export function parseInput(tool: Tool, args: unknown): Record<string, unknown> {
  const known = Object.keys(tool.schema.shape);
  const takes = known.length > 0 ? `${tool.name} takes ${known.join(', ')}.` : `${tool.name} takes no parameters.`;
  if (lengthOf(args ?? {}) > LARGEST_INPUT) {
    throw new Failure(
      'invalid-input',
      `The arguments are longer than ${LARGEST_INPUT} characters, or nested too deeply.`,
      'Send less at once.',
    );
  }
  const parsed = tool.schema.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  throw new Failure('invalid-input', `Wrong arguments: ${listed(parsed.error.issues.map(describe), '; ')}.`, takes);
}
