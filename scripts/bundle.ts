import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packBundle } from './mcpb.ts';

const root = join(import.meta.dirname, '..');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const file = join(root, `${name}-${version}.mcpb`);
await packBundle(file);
console.log(file);
