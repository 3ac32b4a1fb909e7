import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a build notes which files it bundled; read by scripts/sbom.mjs and by tests, packed by nobody. */
export const INPUTS = 'reports/bundled.json';

const packageOf = (input) => /^[^:]*?(node_modules\/(?:[^:]*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

export const manifest = (root, folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** What a package says of its licence, in the old form too. */
export function licenceOf(root, folder) {
  const { license, licenses } = manifest(root, folder);
  return license ?? licenses?.map(({ type }) => type).join(' or ');
}

/** The folders of the packages that have a file among `inputs` (paths relative to `root`), sorted. */
export const packagesOf = (inputs) => [...new Set(inputs.map(packageOf).filter(Boolean))].sort();

/** Those, and what they declare to need, since some ship with it bundled. */
export function bundled(root, inputs) {
  const used = new Set(packagesOf(inputs));
  for (const folder of [...used]) {
    for (const name of Object.keys(manifest(root, folder).dependencies ?? {})) {
      const dependency = `node_modules/${name}`;
      if (existsSync(join(root, dependency))) used.add(dependency);
    }
  }
  return [...used].sort();
}
