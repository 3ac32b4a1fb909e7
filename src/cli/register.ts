import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { asFailure } from '../failure.ts';
import { type Around, type ClientName, clientNames, clients, type Entry } from '../setup/clients.ts';
import { type Registration, readRecord, writeRecord } from '../setup/record.ts';
import {
  entryIn,
  isOurs,
  oursIn,
  planRegistration,
  type Removed,
  removeRegistration,
  startsTheSame,
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

const around = (): Around => ({
  home: homedir(),
  platform: process.platform,
  cwd: process.cwd(),
  env: process.env,
});

function groundOf(settingsFile: string | undefined): Ground {
  const { defaultFile } = loadHere({ settingsFile });
  const file = settingsFile === undefined ? defaultFile : resolve(settingsFile);
  const script = realpathSync(process.argv[1] ?? '');
  return {
    entry: { type: 'stdio', command: process.execPath, args: [script, '--settings-file', file] },
    settingsFile: file,
    recordFile: join(dirname(defaultFile), 'setup.json'),
  };
}

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
    const place = { client, name, file: clients[client].file(around()) };
    if (flags.showConfig) {
      say(`${place.file}:`);
      return say(JSON.stringify({ [clients[client].servers]: { [name]: entry } }, null, 2));
    }
    if (!existsSync(settingsFile))
      warn(`${settingsFile} is not there yet: until it is, the tools say what is missing.`);
    const done =
      (await byClaude(place, entry, flags.replace === true, recordFile)) ??
      byFile(place, entry, flags.replace === true, recordFile);
    say(`${done} ${clients[client].check}`);
  });

type Place = Pick<Registration, 'client' | 'name' | 'file'>;

const isAt =
  ({ client, name, file }: Place) =>
  (one: Registration): boolean =>
    one.client === client && one.name === name && one.file === file;

function remember(recordFile: string, registration: Registration): void {
  forget(recordFile, registration);
  const record = readRecord(recordFile);
  writeRecord(recordFile, { ...record, registrations: [...record.registrations, registration] });
}

function forget(recordFile: string, place: Place): void {
  const record = readRecord(recordFile);
  const registrations = record.registrations.filter((one) => !isAt(place)(one));
  if (registrations.length < record.registrations.length) writeRecord(recordFile, { ...record, registrations });
}

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
    if (known) remember(recordFile, known);
    else forget(recordFile, place);
    throw error;
  }
  const kept = registration.backup && !known ? `; ${registration.backup} is the file as it was` : '';
  return `Registered ${place.name} in ${label} (${place.file}${kept}).`;
}

/** By Claude Code's own command; undefined when that is not there or does not do it. */
async function byClaude(place: Place, entry: Entry, replace: boolean, recordFile: string): Promise<string | undefined> {
  const claude = place.client === 'claude-code' ? findClaude() : undefined;
  if (claude === undefined) return undefined;
  const there = entryIn(place.client, place.file, place.name);
  // What is there as wanted, and what is not to be replaced, is told the same way whoever does it.
  if (there !== undefined && (!isOurs(there) ? !replace : startsTheSame(there, entry))) return undefined;
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

/** Takes this server out of the lists of AI clients: of those that the record names, else of every known place. */
export const unregister = (flags: { readonly client?: ClientName; readonly name?: string }): Promise<void> =>
  orFail(async () => {
    const { recordFile } = groundOf(undefined);
    const record = readRecord(recordFile);
    const wanted = ({ client, name }: Registration): boolean =>
      client === (flags.client ?? client) && name === (flags.name ?? name);
    const recorded = record.registrations.filter(wanted);
    const found = recorded.length > 0 ? recorded : inKnownPlaces().filter(wanted);
    if (found.length === 0) return say('It is registered nowhere.');
    for (const one of found) {
      say(sentences[await takeOut(one)](one));
      forget(recordFile, one);
    }
  });

const sentences: Record<Removed, (one: Registration) => string> = {
  removed: ({ name, file }) => `Took ${name} out of ${file}.`,
  absent: ({ name, file }) => `${name} is not in ${file} any more.`,
  'not ours': ({ name, file }) => `${name} in ${file} starts another program now; it was left alone.`,
};

async function takeOut(one: Registration): Promise<Removed> {
  const claude = one.by === 'cli' ? findClaude() : undefined;
  const there = entryIn(one.client, one.file, one.name);
  if (claude === undefined || !isOurs(there)) return removeRegistration(one);
  try {
    await removeFromClaude(claude, one.name);
    return 'removed';
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
