import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { asFailure } from '../failure.ts';
import { removeDrafts } from '../replacefile.ts';
import { type Around, type ClientName, clientNames, clients, type Entry } from '../setup/clients.ts';
import { changeRecord, type Registration, readRecord } from '../setup/record.ts';
import {
  entryIn,
  isOurs,
  oursIn,
  planRegistration,
  removeRegistration,
  startsTheSame,
  type Undone,
} from '../setup/registration.ts';
import { addToClaude, findClaude, removeFromClaude } from './claude.ts';
import { loadHere } from './surroundings.ts';
import { say, warn } from './terminal.ts';

export interface RegisterFlags {
  readonly client: ClientName;
  readonly name: string;
  readonly settingsFile?: string;
  readonly replace?: true;
  readonly showConfig?: true;
}

interface Ground {
  readonly entry: Entry;
  readonly settingsFile: string;
  readonly recordFile: string;
}

export const around = (): Around => ({
  home: homedir(),
  platform: process.platform,
  cwd: process.cwd(),
  env: process.env,
});

/** How a client starts this very program on that settings file. */
export const entryOf = (settingsFile: string): Entry => ({
  type: 'stdio',
  command: process.execPath,
  args: [realpathSync(process.argv[1] ?? ''), '--settings-file', settingsFile],
});

function groundOf(flag: string | undefined): Ground {
  const { defaultFile } = loadHere({ settingsFile: flag });
  const settingsFile = flag === undefined ? defaultFile : resolve(flag);
  return { entry: entryOf(settingsFile), settingsFile, recordFile: recordBeside(defaultFile) };
}

/** The record of what was set up stands beside the settings. */
export const recordBeside = (settingsFile: string): string => join(dirname(settingsFile), 'setup.json');

async function orFail(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  }
}

/** Puts this server into the list of an AI client. */
export const register = (flags: RegisterFlags): Promise<void> =>
  orFail(async () => {
    const { client, name } = flags;
    const { entry, settingsFile, recordFile } = groundOf(flags.settingsFile);
    if (flags.showConfig) return showConfig(client, name, entry);
    if (!existsSync(settingsFile))
      warn(`${settingsFile} is not there yet: until it is, the tools say what is missing.`);
    say(await registerIn(client, name, entry, { replace: flags.replace === true, recordFile }));
  });

/** Prints what would be written, and where. */
export function showConfig(client: ClientName, name: string, entry: Entry): void {
  say(`${clients[client].file(around())}:`);
  say(JSON.stringify({ [clients[client].servers]: { [name]: entry } }, null, 2));
}

/** Registers it in the client, and tells what was done and how to see it. */
export async function registerIn(
  client: ClientName,
  name: string,
  entry: Entry,
  { replace, recordFile }: { readonly replace: boolean; readonly recordFile: string },
): Promise<string> {
  const place = { client, name, file: clients[client].file(around()) };
  const done = (await byClaude(place, entry, recordFile)) ?? byFile(place, entry, replace, recordFile);
  return `${done} ${clients[client].check}`;
}

type Place = Pick<Registration, 'client' | 'name' | 'file'>;

const isAt =
  ({ client, name, file }: Place) =>
  (one: Registration): boolean =>
    one.client === client && one.name === name && one.file === file;

function remember(recordFile: string, registration: Registration): void {
  changeRecord(recordFile, ({ registrations }) => ({
    registrations: [...registrations.filter((one) => !isAt(registration)(one)), registration],
  }));
}

const forget = (recordFile: string, place: Place): void =>
  changeRecord(recordFile, ({ registrations }) => ({
    registrations: registrations.filter((one) => !isAt(place)(one)),
  }));

function byFile(place: Place, entry: Entry, replace: boolean, recordFile: string): string {
  const known = readRecord(recordFile).registrations.find((one) => isAt(place)(one) && one.by === 'file');
  const { registration, apply } = planRegistration(place, entry, replace, known);
  const label = clients[place.client].label;
  if (!registration) return `${place.name} is registered in ${label} already (${place.file}).`;
  // Before the act: what is cut off in between can still be taken away.
  remember(recordFile, registration);
  try {
    apply();
  } catch (error) {
    asBefore(recordFile, place, known);
    throw error;
  }
  const kept = registration.backup && !known ? `; ${registration.backup} is the file as it was` : '';
  return `Registered ${place.name} in ${label} (${place.file}${kept}).`;
}

/** What stays in the record when this fails too names something that is not there, which harms nobody. */
function asBefore(recordFile: string, place: Place, known: Registration | undefined): void {
  try {
    if (known) remember(recordFile, known);
    else forget(recordFile, place);
  } catch (error) {
    warn(asFailure(error).message);
  }
}

/** By Claude Code's own command; undefined when that is not there or does not do it. */
async function byClaude(place: Place, entry: Entry, recordFile: string): Promise<string | undefined> {
  const claude = place.client === 'claude-code' ? findClaude() : undefined;
  if (claude === undefined) return undefined;
  const there = entryIn(place.client, place.file, place.name);
  // What is there as wanted, what another server has the name of, and what the file was edited for: by the file.
  if (there !== undefined && (!isOurs(there) || startsTheSame(there, entry))) return undefined;
  if (readRecord(recordFile).registrations.some((one) => isAt(place)(one) && one.by === 'file')) return undefined;
  try {
    if (there !== undefined) await removeFromClaude(claude, place.name);
    remember(recordFile, { ...place, by: 'cli', madeFile: false, madeServers: false });
    await addToClaude(claude, place.name, entry);
    return `Registered ${place.name} in Claude Code by "claude mcp add-json" (${place.file}).`;
  } catch (error) {
    warn(`${(error as Error).message}; the file is edited instead.`);
    return undefined;
  }
}

/** Takes this server out of the lists of AI clients. */
export const unregister = (flags: { readonly client?: ClientName; readonly name?: string }): Promise<void> =>
  orFail(async () => {
    const { recordFile } = groundOf(undefined);
    sweep(recordFile);
    const found = registrationsIn(recordFile).filter(
      ({ client, name }) => client === (flags.client ?? client) && name === (flags.name ?? name),
    );
    if (found.length === 0) return say('It is registered nowhere.');
    for (const one of found) say(await unregisterOne(one, recordFile));
  });

/** Removes what runs that were killed have left beside the record and the files of clients. */
export function sweep(recordFile: string): void {
  const at = around();
  for (const file of [recordFile, ...clientNames.map((client) => clients[client].file(at))]) removeDrafts(file);
}

/** Those that the record names, the last one first; without any, what is found in the known places. */
export function registrationsIn(recordFile: string): readonly Registration[] {
  const { registrations } = readRecord(recordFile);
  return registrations.length > 0 ? registrations.toReversed() : inKnownPlaces();
}

/** Takes one out, and tells what became of it. */
export async function unregisterOne(one: Registration, recordFile: string): Promise<string> {
  const removed = await takeOut(one);
  forget(recordFile, one);
  return sentences[removed](one);
}

const sentences: Record<Undone, (one: Registration) => string> = {
  done: ({ name, file }) => `Took ${name} out of ${file}.`,
  absent: ({ name, file }) => `${name} is not in ${file} any more.`,
  'not ours': ({ name, file }) => `${name} in ${file} starts another program now; it was left alone.`,
};

async function takeOut(one: Registration): Promise<Undone> {
  const claude = one.by === 'cli' ? findClaude() : undefined;
  const there = entryIn(one.client, one.file, one.name);
  if (claude === undefined || !isOurs(there)) return removeRegistration(one);
  try {
    await removeFromClaude(claude, one.name);
    return 'done';
  } catch (error) {
    warn(`${(error as Error).message}; the file is edited instead.`);
    return removeRegistration(one);
  }
}

/** Every entry that starts this program, wherever a client may have one. */
function inKnownPlaces(): Registration[] {
  const at = around();
  return clientNames.flatMap((client) => {
    const file = clients[client].file(at);
    return oursThere(client, file).map((name) => ({
      ...{ client, name, file, by: client === 'claude-code' ? ('cli' as const) : ('file' as const) },
      ...{ madeFile: false, madeServers: false },
    }));
  });
}

function oursThere(client: ClientName, file: string): string[] {
  try {
    return oursIn(client, file);
  } catch (error) {
    warn(asFailure(error).message);
    return [];
  }
}
