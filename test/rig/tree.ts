import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** All that is below a folder, by its path: mode and text of a file, target of a link, mode of a folder. */
export type Tree = Readonly<Record<string, string>>;

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

/** Reads a folder, but for what `leave` says of paths below it. */
export function readTree(folder: string, leave: (path: string) => boolean = () => false): Tree {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !leave(name));
  return Object.fromEntries(names.sort().map((name) => [name, told(join(folder, name))]));
}

function told(path: string): string {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (found.isDirectory()) return `folder ${modeOf(path)}`;
  return `file ${modeOf(path)} ${readFileSync(path, 'utf8')}`;
}

/** Makes a folder hold exactly that. */
export function writeTree(folder: string, tree: Tree): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  for (const [name, what] of Object.entries(tree)) {
    const path = join(folder, name);
    const [, kind, rest = ''] = /^(\w+) (.*)$/s.exec(what) ?? [];
    const [, mode = '', text = ''] = /^(\d+) ?(.*)$/s.exec(rest) ?? [];
    if (kind === 'link') symlinkSync(rest, path);
    else if (kind === 'folder') mkdirSync(path);
    else writeFileSync(path, text);
    if (kind !== 'link') chmodSync(path, Number.parseInt(mode, 8));
  }
}
