import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Fact, type Facts, remote } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { num } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';
import { settle } from './settle.ts';

const value = z.union([z.string(), z.number()]).transform(String);

/** `delete` is 2 where the volume goes with it. */
const shape = z.array(z.object({ key: z.string(), value: value.optional(), pending: value.optional(), delete: num }));

/** One key of a configuration: what is in force, and what the next start will make of it. */
export interface Setting {
  readonly now?: string;
  /** `undefined` when nothing waits, `null` when it will be gone. */
  readonly waits?: string | null;
}

/** A guest's configuration, key by key, and the digest that it has as a whole. */
export interface Settings {
  readonly digest?: string;
  readonly keys: ReadonlyMap<string, Setting>;
}

/** What is in force and what waits for a restart, by one GET pending. */
export async function readSettings(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<Settings> {
  const rows = await pve.get(path`/nodes/${node}/${kind}/${vmid}/pending`, shape, {}, { signal });
  const keys = rows
    .filter(({ key }) => key !== 'digest')
    .map((row) => [row.key, { now: row.value, waits: row.delete ? null : row.pending }] as const);
  return { digest: rows.find(({ key }) => key === 'digest')?.value, keys: new Map(keys) };
}

/** What the next start finds: the value that waits, or the one in force. */
export function effective({ keys }: Settings, key: string): string | undefined {
  const setting = keys.get(key);
  return setting?.waits === undefined ? setting?.now : (setting.waits ?? undefined);
}

/** Every key with what the next start finds. */
export const effectiveAll = (settings: Settings): ReadonlyMap<string, string> =>
  new Map(
    [...settings.keys.keys()].flatMap((key) => {
      const found = effective(settings, key);
      return found === undefined ? [] : [[key, found] as const];
    }),
  );

/** What a write changes: values by key, and keys that go. */
export interface Change {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  /** VMs: volumes of removed disks are destroyed. */
  readonly force?: true;
}

/**
 * Writes the change over the API, once, on the condition that nothing was changed since `settings` were read, and waits
 * for its task: a container's is done at once, a VM's is one (POST config; PUT would not hand it back).
 */
export async function writeSettings(
  context: ToolContext,
  guest: Guest,
  { digest }: Settings,
  { set, remove, force }: Change,
): Promise<{ readonly done: boolean; readonly facts: Facts }> {
  const { pve, signal } = context;
  const config = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/config`;
  const params = { ...set, delete: remove.length > 0 ? remove.join(',') : undefined, force, digest };
  const write = guest.kind === 'lxc' ? pve.put : pve.post;
  return settle(context, await write(config, params, { signal }));
}

/** Every key that the change touches. */
export const keysOf = ({ set, remove }: Change): string[] => [...Object.keys(set), ...remove];

/** Keys whose values are told as `set`: what they hold is nobody's business, or too long to be of use. */
const hidden = new Set(['cipassword', 'sshkeys']);
/** Free text; whoever may edit the guest wrote it. */
const free = new Set(['description', 'env', 'entrypoint', 'args']);

export const isHidden = (key: string): boolean => hidden.has(key);

/** The value of a key as it may be told. */
export function shown(key: string, value: string | number | undefined): Fact | undefined {
  if (value === undefined) return undefined;
  if (isHidden(key)) return 'set';
  return free.has(key) ? remote(String(value).trimEnd()) : value;
}

/** Each key as it was and as it is, and what waits for a restart; keys that did not change are left out. */
export function changesBetween(before: Settings, after: Settings, keys: readonly string[]): Facts[] {
  return keys.map((key) => {
    const { now, waits } = after.keys.get(key) ?? {};
    return {
      setting: key,
      before: shown(key, before.keys.get(key)?.now) ?? 'not set',
      now: shown(key, now) ?? 'not set',
      after_restart: waits === null ? 'removed' : shown(key, waits),
    };
  });
}

/** What a human reads of a change: each key as the next start would find it, and as it is to be. */
export const wantedBy = (change: Change, settings: Settings) =>
  keysOf(change).map((key) => {
    const hide = (text: string | undefined, none: string) => (text === undefined ? none : isHidden(key) ? 'set' : text);
    return { key, before: hide(effective(settings, key), 'not set'), after: hide(change.set[key], 'removed') };
  });

/** Whether any of the keys waits for the guest's next start. */
export const waiting = (settings: Settings, keys: readonly string[]): boolean =>
  keys.some((key) => settings.keys.get(key)?.waits !== undefined);

/** A template's disks and cards are not changed by us: what was cloned from it stands on them. */
export function refuseTemplate(guest: Guest): void {
  if (!guest.template) return;
  throw new Failure('conflict', `${guest.label} is a template.`, 'Clone it, and change the clone.');
}

/** What a write came to: its task's facts, and the configuration afterwards as far as it could be read. */
export interface Applied {
  /** False when its task went on past the wait. */
  readonly done: boolean;
  readonly facts: Facts;
  readonly after?: Settings;
  readonly notes: string[];
}

/** Writes the change over the API, and reads the configuration again when it is done. */
export async function apply(context: ToolContext, guest: Guest, before: Settings, change: Change): Promise<Applied> {
  const { done, facts } = await writeSettings(context, guest, before, change);
  const notes: string[] = [];
  if (!done) return { done, facts, notes };
  const read = readSettings(context.pve, guest, context.signal);
  return { done, facts, after: await attempt(read, notes, 'The configuration afterwards'), notes };
}
