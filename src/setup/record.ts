import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { replaceFile } from '../replacefile.ts';
import type { Made } from './apitoken.ts';
import { clientNames } from './clients.ts';

const registration = z.object({
  client: z.enum(clientNames as unknown as readonly [(typeof clientNames)[number]]),
  name: z.string(),
  file: z.string(),
  /** `cli`: the client's own command made the entry, and takes it out again. */
  by: z.enum(['cli', 'file']),
  /** What was not there before, and goes when it is empty. */
  madeFile: z.boolean().default(false),
  madeServers: z.boolean().default(false),
  /** The file as it was before. */
  backup: z.string().optional(),
  /** SHA-256 of that copy: one that is something else by now is not ours. */
  before: z.string().optional(),
  /** SHA-256 of what was written: as long as the file is that, it can be put back byte for byte. */
  after: z.string().optional(),
});

const madeThing: z.ZodType<Made> = z.discriminatedUnion('what', [
  z.object({ what: z.literal('role'), role: z.string() }),
  z.object({ what: z.literal('user'), user: z.string() }),
  z.object({ what: z.literal('user access'), user: z.string(), role: z.string() }),
  z.object({ what: z.literal('token'), user: z.string(), name: z.string() }),
  z.object({ what: z.literal('token access'), token: z.string(), role: z.string() }),
]);

const place = z.object({ host: z.string(), port: z.number(), user: z.string(), keyPath: z.string().optional() });

/** In the order in which things were made; what is not there was not made. */
const schema = z.object({
  version: z.literal(1),
  /** A Node.js of its own, and the program beside it. */
  runtime: z.object({ folder: z.string() }).optional(),
  /** Files and folders that were not there before. */
  files: z.array(z.string()).default([]),
  /** The key pair, when it was made and not found. */
  key: z.object({ path: z.string() }).optional(),
  /** Public keys on servers, with what was made there for them. */
  copied: z
    .array(
      place.extend({
        blob: z.string(),
        made: z.string(),
        /** Not known to have got there: it was cut off in between. */
        unsure: z.literal(true).optional(),
      }),
    )
    .default([]),
  /** API tokens with their users, roles and access. */
  tokens: z.array(z.object({ server: place, token: z.string(), made: z.array(madeThing) })).default([]),
  /** Secrets in the keychain of the system. */
  keychain: z.array(z.object({ account: z.string() })).default([]),
  registrations: z.array(registration).default([]),
  /** Entries of other servers that were taken out of a client's file. */
  taken: z.array(registration).default([]),
});

export type Registration = z.output<typeof registration>;

/** What was put where, so that exactly that can be taken away again. */
export type SetupRecord = Omit<z.output<typeof schema>, 'version'>;

const empty = (): SetupRecord => schema.parse({ version: 1 });

/** The record in `file`; an empty one when there is none. `misconfigured` when it cannot be understood. */
export function readRecord(file: string): SetupRecord {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return empty();
    throw new Failure(
      'misconfigured',
      `${file}, the record of what was set up, cannot be read: ${(cause as Error).message.split('\n')[0]}.`,
      'Move it away; without it, the known places are looked into.',
      { cause },
    );
  }
}

/** Changes the record in `file`. */
export const changeRecord = (file: string, change: (record: SetupRecord) => Partial<SetupRecord>): void => {
  const record = readRecord(file);
  writeRecord(file, { ...record, ...change(record) });
};

/** Writes it, or removes the file when there is nothing left to take away. */
export function writeRecord(file: string, record: SetupRecord): void {
  const parts = Object.entries(record).filter(([name]) => name !== 'version');
  const left = parts.some(([, part]) => (Array.isArray(part) ? part.length > 0 : part !== undefined));
  if (!left) rmSync(file, { force: true });
  else replaceFile(file, `${JSON.stringify({ ...record, version: 1 }, null, 2)}\n`);
}
