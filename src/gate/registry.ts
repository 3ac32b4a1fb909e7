import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import type { Setup, Tool } from '../toolsets/tool.ts';
import { decide } from './policy.ts';

/** The tools of this process: which are listed, and what to say of a name that is not. */
export interface Registry {
  /** In the order of their names, the same for every client. */
  readonly listed: readonly Tool[];
  /** The listed tool of that name; a Failure that says why it is not there (hidden by mode, by toolset, or unknown). */
  find(name: string): Tool;
}

/** Comparing names takes time with the square of their length. */
const LONGEST_NAME = 128;

const nearest = (name: string, names: readonly string[]): string[] =>
  [...names].sort((a, b) => distance(name, a) - distance(name, b)).slice(0, 3);

/** The tools that `setup`'s mode and toolsets leave. */
export function createRegistry(tools: readonly Tool[], setup: Pick<Setup, 'mode' | 'toolsets'>): Registry {
  const sorted = [...tools].sort((a, b) => (a.name < b.name ? -1 : 1));
  const inSet = sorted.filter((tool) => tool.toolset === 'server' || setup.toolsets.includes(tool.toolset));
  const listed = inSet.filter((tool) => decide(setup.mode, tool.effect) !== 'hide');
  const find = (name: string): Tool => {
    const tool = listed.find((one) => one.name === name);
    if (tool) return tool;
    const other = sorted.find((one) => one.name === name);
    if (other && inSet.includes(other)) {
      throw new Failure(
        'refused',
        `${name} is not available in ${setup.mode} mode: its effect is ${other.effect}.`,
        'The operator can set MCP_MODE=guarded and restart the server.',
      );
    }
    if (other) {
      throw new Failure(
        'refused',
        `${name} belongs to the toolset ${other.toolset}, which is switched off.`,
        `The operator can add ${other.toolset} to MCP_TOOLSETS and restart the server.`,
      );
    }
    const wanted = name.slice(0, LONGEST_NAME);
    const near = nearest(
      wanted,
      listed.map((one) => one.name),
    );
    throw new Failure('not-found', `There is no tool ${wanted}.`, `Nearest: ${near.join(', ')}.`);
  };
  return { listed, find };
}
