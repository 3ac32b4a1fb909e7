import type { Disk } from './sshconfig.ts';

/** Gives what `make` makes of files and folders, and makes it anew only when one of those that it read has changed. */
export function remembered<T>(disk: Disk, make: (disk: Disk) => T): () => T {
  let made: { readonly value: T; readonly read: ReadonlyMap<string, string | undefined> } | undefined;
  const unchanged = ([path, stamp]: readonly [string, string | undefined]): boolean =>
    stamp !== undefined && disk.stamp(path) === stamp;
  return () => {
    if (made && [...made.read].every(unchanged)) return made.value;
    const read = new Map<string, string | undefined>();
    // Stamped before it is read, so that a change in between shows at the next look.
    const noted =
      <R>(reader: (path: string) => R) =>
      (path: string): R => {
        read.set(path, disk.stamp(path));
        return reader(path);
      };
    made = { value: make({ ...disk, readFile: noted(disk.readFile), readDir: noted(disk.readDir) }), read };
    return made.value;
  };
}
