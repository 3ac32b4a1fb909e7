import type { Toolset } from '../toolsets/tool.ts';

/** Something wrong with the configuration. The server starts all the same, and tells it. */
export interface Problem {
  readonly cause: string;
  readonly cure: string;
  /** The tools that answer with this problem until it is cured. */
  readonly blocks?: readonly Toolset[];
}

export const ALL: readonly Toolset[] = ['pve', 'ssh'];

/** The part of what `fs` throws that an operator understands: ENOENT, EACCES … */
export const reason = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return typeof code === 'string' ? code : 'it cannot be read';
};
