import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure } from '../failure.ts';
import { replaceFile } from '../replacefile.ts';
import { type ClientName, clients, type Entry } from './clients.ts';
import { parseObject, withMember } from './jsonedit.ts';
import type { Registration } from './record.ts';

/** A change of a client's file that is thought through and not yet made. */
export interface Plan {
  /** What the record has to say before it is made; undefined when the entry is there already, just as wanted. */
  readonly registration?: Registration;
  apply(): void;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const textOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

type Servers = Readonly<Record<string, unknown>>;
const serversIn = (text: string, file: string, member: string): Servers | undefined =>
  parseObject(text, file)[member] as Servers | undefined;

/** Whether an entry starts this program, wherever that is installed. */
export function isOurs(entry: unknown): boolean {
  const { command, args } = (entry ?? {}) as { command?: unknown; args?: unknown };
  const words = [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string');
  return words.some((word) => /^proxmox-ssh-mcp(\.js|\.cmd)?$/.test(basename(word)));
}

/** Whether an entry that may have more in it starts the server as this one does. */
export const startsTheSame = (there: unknown, { command, args }: Entry): boolean =>
  JSON.stringify([(there as Entry | undefined)?.command, (there as Entry | undefined)?.args]) ===
  JSON.stringify([command, args]);

/** The entry that has this name in the client's file; undefined when there is none. */
export const entryIn = (client: ClientName, file: string, name: string): unknown =>
  serversIn(textOf(file) ?? '{}', file, clients[client].servers)?.[name];

/** The names of all entries of the client's file that start this program. */
export function oursIn(client: ClientName, file: string): string[] {
  const servers = serversIn(textOf(file) ?? '{}', file, clients[client].servers) ?? {};
  return Object.keys(servers).filter((name) => isOurs(servers[name]));
}

type Place = Pick<Registration, 'client' | 'name' | 'file'>;

/**
 * How the entry gets into the client's file. A `conflict` when the name is taken by another server and not to be
 * replaced. The file as it was is kept beside it, unless `known` says that this was done before.
 */
export function planRegistration(place: Place, entry: Entry, replace: boolean, known?: Registration): Plan {
  const { client, name, file } = place;
  const member = clients[client].servers;
  const text = textOf(file);
  const servers = serversIn(text ?? '{}', file, member);
  const there = servers?.[name];
  if (startsTheSame(there, entry)) return { apply: () => undefined };
  if (there !== undefined && !isOurs(there) && !replace) throw taken(name, file);
  const edited = withMember(text ?? '{}\n', file, [member, name], entry);
  return planChange({ ...place, madeServers: servers === undefined }, text, edited, known);
}

/** How an entry that is not ours gets out of the client's file, the file as it was being kept beside it. */
export function planRemoval(place: Place): Plan {
  const text = textOf(place.file);
  const member = clients[place.client].servers;
  if (text === undefined || serversIn(text, place.file, member)?.[place.name] === undefined) {
    return { apply: () => undefined };
  }
  const edited = withMember(text, place.file, [member, place.name], undefined);
  return planChange({ ...place, madeServers: false }, text, edited);
}

function planChange(
  place: Place & Pick<Registration, 'madeServers'>,
  text: string | undefined,
  edited: string,
  known?: Registration,
): Plan {
  const { file } = place;
  const newBackup = known || text === undefined ? undefined : freeBackup(file);
  // What others changed since the copy was made must not be undone with it.
  const whole = known === undefined || (text !== undefined && sha256(text) === known.after);
  const registration: Registration = {
    ...{ ...place, by: 'file', after: whole ? sha256(edited) : undefined },
    backup: known ? known.backup : newBackup,
    before: known ? known.before : text && sha256(text),
    madeFile: known?.madeFile ?? text === undefined,
    madeServers: known?.madeServers ?? place.madeServers,
  };
  const apply = (): void => {
    if (text !== undefined && newBackup !== undefined) replaceFile(newBackup, text, statSync(file).mode & 0o777);
    try {
      replaceFile(file, edited);
    } catch (error) {
      if (newBackup !== undefined) rmSync(newBackup, { force: true });
      throw error;
    }
  };
  return { registration, apply };
}

const taken = (name: string, file: string): Failure =>
  new Failure(
    'conflict',
    `${file} has another server by the name of ${name}.`,
    'Choose another name (--name), or say --replace to put this one in its place.',
  );

/** `FILE.bak`, or with a number where that is somebody else's. */
function freeBackup(file: string): string {
  for (let i = 1; ; i++) {
    const name = `${file}.bak${i === 1 ? '' : i}`;
    if (!existsSync(name)) return name;
  }
}

/** What became of an entry that was to be taken out, or put back. */
export type Undone = 'done' | 'absent' | 'not ours';

/**
 * Takes the entry out: byte for byte as it was before when nobody has changed the file since, else nothing but the entry
 * and what was made for it. What it stood in the place of comes back. An entry that starts something else is left alone.
 */
export function removeRegistration(registration: Registration): Undone {
  const { client, name, file } = registration;
  const there = entryIn(client, file, name);
  const text = textOf(file);
  if (text !== undefined && isOurs(there)) putBack(text, registration);
  removeBackup(registration);
  if (there === undefined) return 'absent';
  return isOurs(there) ? 'done' : 'not ours';
}

/** Puts an entry back that was taken out; one that has its name now is left alone. */
export function restoreEntry(taken: Registration): Undone {
  const { client, name, file } = taken;
  const text = textOf(file);
  const there = entryIn(client, file, name);
  if (text !== undefined && there === undefined) putBack(text, taken);
  removeBackup(taken);
  if (text === undefined) return 'absent';
  return there === undefined ? 'done' : 'not ours';
}

/** The copy of the file as it was, as long as it is that. */
function copyOf({ backup, before }: Registration): string | undefined {
  const text = backup === undefined ? undefined : textOf(backup);
  return text !== undefined && sha256(text) === before ? text : undefined;
}

function removeBackup(registration: Registration): void {
  if (registration.backup !== undefined && copyOf(registration) !== undefined) rmSync(registration.backup);
}

function putBack(text: string, registration: Registration): void {
  const { client, name, file, after } = registration;
  const member = clients[client].servers;
  const copy = copyOf(registration);
  const old = copy === undefined ? undefined : serversIn(copy, file, member)?.[name];
  if (copy !== undefined && sha256(text) === after && !isOurs(old)) replaceFile(file, copy);
  else if (old === undefined || isOurs(old)) takeOut(text, registration);
  else replaceFile(file, withMember(text, file, [member, name], old));
}

function takeOut(text: string, { client, name, file, madeFile, madeServers }: Registration): void {
  const member = clients[client].servers;
  const without = withMember(text, file, [member, name], undefined);
  const { [member]: servers, ...others } = parseObject(without, file);
  const empty = Object.keys((servers ?? {}) as Servers).length === 0;
  if (empty && madeFile && Object.keys(others).length === 0) rmSync(file);
  else replaceFile(file, empty && madeServers ? withMember(without, file, [member], undefined) : without);
}
