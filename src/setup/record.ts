import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { replaceFile } from '../config/replacefile.ts';
import { Failure } from '../failure.ts';
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
  /** SHA-256 of what was written: as long as the file is that, it can be put back byte for byte. */
  after: z.string().optional(),
});

const schema = z.object({ version: z.literal(1), registrations: z.array(registration).default([]) });

export type Registration = z.output<typeof registration>;

/** What was put where, so that exactly that can be taken away again. */
export type SetupRecord = Omit<z.output<typeof schema>, 'version'>;

/** The record in `file`; an empty one when there is none. `misconfigured` when it cannot be understood. */
export function readRecord(file: string): SetupRecord {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { registrations: [] };
    throw new Failure(
      'misconfigured',
      `${file}, the record of what was set up, cannot be read: ${(cause as Error).message.split('\n')[0]}.`,
      'Move it away; without it, the known places are looked into.',
      { cause },
    );
  }
}

/** Writes it, or removes the file when there is nothing left to take away. */
export function writeRecord(file: string, record: SetupRecord): void {
  if (record.registrations.length === 0) rmSync(file, { force: true });
  else replaceFile(file, `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`);
}
