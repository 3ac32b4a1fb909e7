import { Failure } from '../failure.ts';
import { shortened } from '../present/cut.ts';
import { type Ruling, ruleOn } from '../toolsets/ssh/rules.ts';
import type { PlacedCommands, Tool, ToolContext } from '../toolsets/tool.ts';

/** What the operator's rules for commands say of a call: let it through, ask because of this, or nothing. */
export type Ruled = { readonly verdict: 'allow' | 'none' } | { readonly verdict: 'ask'; readonly because: string };

/**
 * Judges all commands of the call at all its places; the strictest word counts. `refused` where one of them is denied,
 * whatever the mode.
 */
export async function judgeCommands(tool: Tool, input: unknown, context: ToolContext): Promise<Ruled> {
  const all = (await tool.commands?.(input, context)) ?? [];
  const ruled = all.map((one) => ({ one, ruling: ruleOn(one, one.rules) }));
  for (const { one, ruling } of ruled) if (ruling.verdict === 'deny') throw denied(tool, one, ruling, context);
  for (const { one, ruling } of ruled) {
    if (ruling.verdict === 'ask') return { verdict: 'ask', because: `${saidOf(one, ruling, 'asks about')}.` };
  }
  const allowed = ruled.length > 0 && ruled.every(({ ruling }) => ruling.verdict === 'allow');
  return { verdict: allowed ? 'allow' : 'none' };
}

const LONGEST = 200;

/** `the rule "rm *" for pve1 denies: rm -r /srv`. */
function saidOf({ place }: PlacedCommands, { command, pattern }: Told, verb: 'denies' | 'asks about'): string {
  const shown = shortened(command, LONGEST);
  if (pattern === undefined) return `No rule for ${place} allows: ${shown}`;
  return `The rule "${pattern}" for ${place} ${verb}: ${shown}`;
}

type Told = Extract<Ruling, { readonly command: string }>;

function denied({ name }: Tool, one: PlacedCommands, ruling: Told, { ssh }: ToolContext): Failure {
  const file = ssh.hosts.rules()?.file ?? 'the inventory file';
  return new Failure(
    'refused',
    `${saidOf(one, ruling, 'denies')}. ${name} was not run.`,
    `Only the operator can change the rules for commands, in ${file}.`,
  );
}
