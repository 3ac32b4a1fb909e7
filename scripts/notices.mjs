import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled, licenceOf, manifest } from './bundled.mjs';

/** One text with name, version and licence of every package that is bundled with `inputs` (paths relative to `root`). */
export function notices(root, inputs) {
  const parts = bundled(root, inputs).map((folder) => notice(root, folder));
  return `This package contains the following software.\n\n${parts.join('\n')}`;
}

function notice(root, folder) {
  const { name, version } = manifest(root, folder);
  const terms = licenceOf(root, folder);
  const file = readdirSync(join(root, folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `Licence: ${terms}`;
  return `${'='.repeat(80)}\n${name} ${version} (${terms})\n\n${text}\n`;
}
