import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One text with name, version and licence of every package among `inputs` (paths relative to `root`) and of what those declare, since some ship pre-bundled. */
export function notices(root, inputs) {
  const used = new Set(inputs.map(packageOf).filter(Boolean));
  for (const folder of [...used]) {
    for (const name of Object.keys(manifest(root, folder).dependencies ?? {})) {
      const dependency = `node_modules/${name}`;
      if (existsSync(join(root, dependency))) used.add(dependency);
    }
  }
  const parts = [...used].sort().map((folder) => notice(root, folder));
  return `This package contains the following software.\n\n${parts.join('\n')}`;
}

const packageOf = (input) => /^([^:]*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

const manifest = (root, folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

function notice(root, folder) {
  const { name, version, license, licenses } = manifest(root, folder);
  const terms = license ?? licenses?.map(({ type }) => type).join(' or ');
  const file = readdirSync(join(root, folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `Licence: ${terms}`;
  return `${'='.repeat(80)}\n${name} ${version} (${terms})\n\n${text}\n`;
}
