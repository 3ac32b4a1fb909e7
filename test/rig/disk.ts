import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAsRoot } from './users.ts';

/** A file on a disk that is always full: it can be opened, and each write to it fails with ENOSPC. */
export const FULL_FILE = '/dev/full';

export interface Disk {
  /** Where it is mounted; anybody may write there. */
  readonly folder: string;
  /** Leaves room for so many pages of 4 KiB; where it is limited, for files of so many KiB. */
  fill(pages: number): void;
  empty(): void;
  /** argv under which a program feels that. */
  under(argv: readonly string[]): string[];
  stop(): void;
}

const PAGE = 4096;

/** A disk of its own, of so many KiB, over a folder that is made unless it is there; what was in it is hidden by it. */
export function mountDisk(folder: string, kilobytes: number): Disk {
  mkdirSync(folder, { recursive: true });
  runAsRoot(['mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=777`, 'none', folder]);
  const filler = join(folder, 'filler');
  return {
    folder,
    fill(pages) {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE)));
    },
    empty: () => rmSync(filler, { force: true }),
    under: (argv) => [...argv],
    stop: () => void runAsRoot(['umount', folder]),
  };
}

/** Runs `act` on a disk of its own over that folder, which is taken away whatever comes of it. */
export async function onDisk<T>(folder: string, kilobytes: number, act: (disk: Disk) => T): Promise<Awaited<T>> {
  const disk = mountDisk(folder, kilobytes);
  try {
    return await act(disk);
  } finally {
    disk.stop();
  }
}

/** For where nothing may be mounted: a write is cut short and the rest refused (EFBIG), in programs run `under` it. */
export function limitedDisk(folder: string): Disk {
  let kilobytes = 0;
  return {
    folder,
    fill(pages) {
      kilobytes = pages;
    },
    empty() {},
    under: (argv) => ['bash', '-c', `trap '' XFSZ; ulimit -f ${kilobytes}; exec "$@"`, 'bash', ...argv],
    stop() {},
  };
}

/** A disk of its own where one may be mounted, else a limit. */
export function anyDisk(folder: string, kilobytes: number): Disk {
  try {
    return mountDisk(folder, kilobytes);
  } catch {
    return limitedDisk(folder);
  }
}
