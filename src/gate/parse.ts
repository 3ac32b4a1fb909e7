import type { z } from 'zod';
import { Failure } from '../failure.ts';
import type { Tool } from '../toolsets/tool.ts';

/** Longest arguments, in characters of JSON, that are looked at. */
const LARGEST_INPUT = 8 * 1024 * 1024;

const describe = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') return `unknown parameter ${issue.keys.join(', ')}`;
  const where = issue.path.map(String).join('.');
  return where ? `${where}: ${issue.message}` : issue.message;
};

/** The tool's input as its schema has it. Every issue is told at once, unknown parameters with the known ones. */
export function parseInput(tool: Tool, args: unknown): Record<string, unknown> {
  const known = Object.keys(tool.schema.shape);
  const takes = known.length > 0 ? `${tool.name} takes ${known.join(', ')}.` : `${tool.name} takes no parameters.`;
  if (JSON.stringify(args ?? {}).length > LARGEST_INPUT) {
    throw new Failure(
      'invalid-input',
      `The arguments are longer than ${LARGEST_INPUT} characters.`,
      'Send less at once.',
    );
  }
  const parsed = tool.schema.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  throw new Failure('invalid-input', `Wrong arguments: ${parsed.error.issues.map(describe).join('; ')}.`, takes);
}
