import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { replaceFile } from '../config/replacefile.ts';
import { Failure } from '../failure.ts';
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

/**
 * How the entry gets into the client's file. A `conflict` when the name is taken by another server and not to be
 * replaced. The file as it was is kept beside it, unless `known` says that this was done before.
 */
export function planRegistration(
  place: { readonly client: ClientName; readonly name: string; readonly file: string },
  entry: Entry,
  replace: boolean,
  known?: Registration,
): Plan {
  const { client, name, file } = place;
  const member = clients[client].servers;
  const text = textOf(file);
  const servers = serversIn(text ?? '{}', file, member);
  const there = servers?.[name];
  if (startsTheSame(there, entry)) return { apply: () => undefined };
  if (there !== undefined && !isOurs(there) && !replace) throw taken(name, file);
  const edited = withMember(text ?? '{}\n', file, [member, name], entry);
  const backup = known ? known.backup : text === undefined ? undefined : freeBackup(file);
  const registration: Registration = {
    ...{ client, name, file, by: 'file', backup, after: sha256(edited) },
    madeFile: known?.madeFile ?? text === undefined,
    madeServers: known?.madeServers ?? servers === undefined,
  };
  const apply = (): void => {
    const newBackup = known ? undefined : backup;
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

/** Takes out an entry that is not ours, as the user wished; gives the name of the copy of the file as it was. */
export function removeEntry(client: ClientName, file: string, name: string): string {
  const text = readFileSync(file, 'utf8');
  const backup = freeBackup(file);
  replaceFile(backup, text, statSync(file).mode & 0o777);
  replaceFile(file, withMember(text, file, [clients[client].servers, name], undefined));
  return backup;
}

/** What became of an entry that was to be taken out. */
export type Removed = 'removed' | 'absent' | 'not ours';

/**
 * Takes the entry out: byte for byte as it was before when nobody has changed the file since, else nothing but the entry
 * and what was made for it. An entry that starts something else is left alone.
 */
export function removeRegistration(registration: Registration): Removed {
  const { client, name, file, backup, after } = registration;
  const text = textOf(file);
  const done = (removed: Removed): Removed => {
    if (backup !== undefined) rmSync(backup, { force: true });
    return removed;
  };
  const member = clients[client].servers;
  const there = serversIn(text ?? '{}', file, member)?.[name];
  if (text === undefined || there === undefined) return done('absent');
  if (!isOurs(there)) return done('not ours');
  const before = backup === undefined ? undefined : textOf(backup);
  if (sha256(text) === after && before !== undefined) replaceFile(file, before);
  else takeOut(text, registration);
  return done('removed');
}

function takeOut(text: string, { client, name, file, madeFile, madeServers }: Registration): void {
  const member = clients[client].servers;
  const without = withMember(text, file, [member, name], undefined);
  const { [member]: servers, ...others } = parseObject(without, file);
  const empty = Object.keys((servers ?? {}) as Servers).length === 0;
  if (empty && madeFile && Object.keys(others).length === 0) rmSync(file);
  else replaceFile(file, empty && madeServers ? withMember(without, file, [member], undefined) : without);
}
