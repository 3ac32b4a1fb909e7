import type { Effect, Setup, Tool } from '../toolsets/tool.ts';

export type Mode = Setup['mode'];

/** What the mode says of a tool: run it, ask a human first, or it does not exist. */
export type Decision = 'allow' | 'ask' | 'hide';

const table: Record<Mode, Record<Effect, Decision>> = {
  'read-only': { read: 'allow', change: 'hide', execute: 'hide', destroy: 'hide' },
  guarded: { read: 'allow', change: 'allow', execute: 'allow', destroy: 'ask' },
  ask: { read: 'allow', change: 'ask', execute: 'ask', destroy: 'ask' },
  trusted: { read: 'allow', change: 'allow', execute: 'allow', destroy: 'allow' },
};

/**
 * The mode's decision for a tool; an alarming input is asked about wherever it would have been allowed, but for
 * `trusted`, and a tool that is for humans to decide everywhere.
 */
export function decide(mode: Mode, { effect, human }: Pick<Tool, 'effect' | 'human'>, alarm?: string): Decision {
  const decision = table[mode][effect];
  const asks = human !== undefined || (alarm !== undefined && mode !== 'trusted');
  return decision === 'allow' && asks ? 'ask' : decision;
}
