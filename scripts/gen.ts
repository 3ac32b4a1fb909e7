import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, migrating, readme } from './documents.ts';
import type { Package } from './manifest.ts';
import { page } from './proof.ts';
import { serverJson } from './serverjson.ts';

const root = join(import.meta.dirname, '..');

/** Writes a document anew from what it is. */
function renew(name: string, made: (text: string) => string): void {
  const file = join(root, name);
  writeFileSync(file, made(readFileSync(file, 'utf8')));
}

renew('.env.example', envExample);
renew('README.md', readme);
renew('server.json', () => serverJson(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package));
renew('docs/migrating.md', migrating);
renew('docs/guarantees.md', (text) => page(text));
