import type { PlacedCommands, ToolContext } from '../tool.ts';
import type { Place } from './place.ts';

/** What a tool that runs commands is given. */
interface Given {
  readonly script: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly opaque?: boolean;
}

/**
 * The commands with the rules of the place that they would run at: those of a host count for its containers, VMs have
 * those for every place. Where the operator has no rules at all, no place is looked for.
 */
export async function placed(
  { script, stdin, env, opaque }: Given,
  { ssh }: ToolContext,
  find: () => Promise<Place>,
): Promise<readonly PlacedCommands[]> {
  const rules = ssh.hosts.rules();
  if (rules === undefined) return [];
  const place = await find();
  const own = 'host' in place ? place.host.rules : undefined;
  const inherits = Object.keys(env ?? {}).length > 0;
  return [{ place: place.label, rules: own ?? rules.everywhere, script, stdin, opaque: opaque || inherits }];
}
