import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ApiMethod, methodsOf, parseApidoc, readMethods } from './apidoc.ts';
import type { Pve } from './client.ts';
import { path } from './path.ts';

/** The API that a server describes of itself. */
export interface ApiSchema {
  /** `9.2.11`. */
  readonly version: string;
  readonly methods: readonly ApiMethod[];
}

/** Gives the server's schema: from memory, from the disk, or from the server. */
export type ReadSchema = () => Promise<ApiSchema>;

/** After this time the version is asked again: the server may have been upgraded. */
const TRUSTED_MS = 600_000;

/**
 * The schema of the server behind `pve`, kept in memory and in `folder` by the server's version, so that its 4 MB are
 * fetched once. A file that cannot be read or written only costs time.
 */
export function createSchema(pve: Pve, folder: string): ReadSchema {
  let known: { readonly at: number; readonly schema: Promise<ApiSchema> } | undefined;
  const read = async (before: Promise<ApiSchema> | undefined): Promise<ApiSchema> => {
    const { version } = await pve.get(path`/version`, z.object({ version: z.string() }));
    const last = await before?.catch(() => undefined);
    if (last?.version === version) return last;
    const file = join(folder, `api-schema-${version.replace(/[^\w.-]/g, '_')}.json`);
    const kept = readMethods(await readFile(file, 'utf8').catch(() => ''));
    if (kept) return { version, methods: kept };
    const methods = methodsOf(parseApidoc(await pve.apidoc()));
    await keep(file, folder, JSON.stringify(methods)).catch(() => undefined);
    return { version, methods };
  };
  return () => {
    if (known && performance.now() - known.at < TRUSTED_MS) return known.schema;
    const schema = read(known?.schema);
    const mine = { at: performance.now(), schema };
    known = mine;
    schema.catch(() => {
      if (known === mine) known = undefined;
    });
    return schema;
  };
}

/** Whole or not at all, however many processes keep it at once. */
async function keep(file: string, folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  await chmod(draft, 0o600);
  await rename(draft, file);
}
