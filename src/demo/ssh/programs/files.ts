import { createHash } from 'node:crypto';
import type { FsStat } from 'just-bash';
import type { Process, Program } from '../proc.ts';

/** What tells about files and gives them away, beyond what the library has of it: its stat knows few formats. */
export const filePrograms: Record<string, Program> = {
  stat,
  // Everything belongs to root here, and root may give it to nobody else.
  chown: () => 0,
  sync: () => 0,
};

/** Type bits of `st_mode` (inode(7)). */
const typeOf = ({ isDirectory, isSymbolicLink }: FsStat): number =>
  isDirectory ? 0o040000 : isSymbolicLink ? 0o120000 : 0o100000;

/** `stat [-L] -c FORMAT FILE…` */
async function stat(args: readonly string[], { machine, cwd, out, err }: Process): Promise<number> {
  const options = args.filter((arg) => /^-\w/.test(arg)).join('');
  const at = args.findIndex((arg) => /^-\w*c$/.test(arg));
  const format = args[at + 1] ?? '%n';
  const files = args.slice(at + 2).filter((arg) => arg !== '--');
  let failed = 0;
  for (const file of files) {
    const path = machine.fs.resolvePath(cwd, file);
    const seen = await (options.includes('L') ? machine.fs.stat(path) : machine.fs.lstat(path)).catch(() => undefined);
    if (seen) out(`${filled(format, file, path, seen)}\n`);
    else {
      err(`stat: cannot statx '${file}': No such file or directory\n`);
      failed = 1;
    }
  }
  return failed;
}

function filled(format: string, file: string, path: string, seen: FsStat): string {
  const mode = seen.mode & 0o7777;
  const values: Readonly<Record<string, string | number>> = {
    n: file,
    f: (typeOf(seen) | mode).toString(16),
    s: seen.size,
    a: mode.toString(8),
    u: 0,
    g: 0,
    U: 'root',
    G: 'root',
    Y: Math.floor(seen.mtime.getTime() / 1000),
    h: 1,
    i: createHash('md5').update(path).digest().readUInt32BE(),
    d: 65_024,
  };
  return format.replace(/%(\w)/g, (whole, letter: string) => String(values[letter] ?? whole));
}
