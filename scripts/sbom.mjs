import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundled, INPUTS, licenceOf } from './bundled.mjs';

// Writes reports/sbom.cdx.json: what `npm sbom` says (CycloneDX) of the packages that the last build bundled, and of no
// other; the same for the same package-lock.json and the same npm.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OUT = join(root, 'reports/sbom.cdx.json');

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
const folders = bundled(root, JSON.parse(readFileSync(join(root, INPUTS), 'utf8')));
const wanted = new Map(folders.map((folder) => [`${nameOf(folder)}@${lock[folder].version}`, folder]));

const said = execFileSync('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 ** 2,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const { serialNumber, metadata, components, dependencies, ...rest } = JSON.parse(said);
const { timestamp, component, ...about } = metadata;
// npm names it by the folder it is in.
const own = { ...component, name: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name };
const kept = components.filter((component) => wanted.has(idOf(component))).map(shipped);
const refs = new Set([own['bom-ref'], ...kept.map((one) => one['bom-ref'])]);
const relations = dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)).sort() }));
const bom = {
  ...rest,
  metadata: { ...about, component: own },
  components: sorted(kept),
  dependencies: relations.sort(by('ref')),
};
writeFileSync(OUT, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${OUT}: ${kept.length} packages`);

function nameOf(folder) {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function idOf({ group, name, version }) {
  return `${group ? `${group}/` : ''}${name}@${version}`;
}

/** npm takes a package of the build for one that does not ship, and knows no licence in the old form. */
function shipped({ properties, ...component }) {
  const licenses = [{ license: { id: licenceOf(root, wanted.get(idOf(component))) } }];
  return { licenses, ...component, scope: 'required' };
}

function by(key) {
  return (a, b) => (a[key] < b[key] ? -1 : 1);
}

function sorted(all) {
  return [...all].sort(by('bom-ref'));
}
