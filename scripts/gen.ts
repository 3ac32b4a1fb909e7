import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, readme } from './documents.ts';

const root = join(import.meta.dirname, '..');
const readmeFile = join(root, 'README.md');

writeFileSync(join(root, '.env.example'), envExample());
writeFileSync(readmeFile, readme(readFileSync(readmeFile, 'utf8')));
