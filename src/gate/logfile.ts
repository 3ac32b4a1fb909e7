import {
  closeSync,
  fdatasync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { nextRotated } from '../log/files.ts';

/** A file that only ever grows, by whole lines. All but waiting for the disk is done when a function returns. */
export interface LogFile {
  /** Appends what `line` gives with one write; on a line of its own, whatever the file ends with. `at` is the size of the file before. */
  append(line: (at: number) => string): void;
  /** Waits until the last line is on the disk and those before it in its file; `all`: in files that were left since too. */
  sync(which?: 'all'): Promise<void>;
  close(): Promise<void>;
}

interface Opened {
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  sync(): Promise<void>;
  /** Waits for the disk. */
  close(): Promise<void>;
}

const NEWLINE = 10;

const datasync = promisify(fdatasync);

/**
 * Whether it ends inside a line: a write was cut, ours or that of another process on the same file. A write of another
 * process that is under way looks the same; the empty line that follows from it is nobody's, and readers pass over it.
 */
function isTorn(fd: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
}

/** Whoever asks while a sync is under way shares the next one, which begins after all that they wrote. */
function openLog(file: string): Opened {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fd = openSync(file, 'a+', 0o600);
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    running = datasync(fd).finally(() => {
      running = undefined;
    });
    return running;
  };
  const sync = (): Promise<void> => {
    if (!running) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
  const close = async (): Promise<void> => {
    await sync().finally(() => closeSync(fd));
  };
  const { dev, ino } = fstatSync(fd);
  return { fd, dev, ino, sync, close };
}

/** Whoever rotates works for microseconds, so a lock this old was left behind. */
const LEFT_MS = 10_000;

/**
 * Gives the file the name of a rotated one, unless another process does so: then, and when it cannot be done, the file
 * just goes on growing.
 */
function rotate(file: string, { dev, ino }: Opened): void {
  const lock = `${file}.rotate`;
  try {
    closeSync(openSync(lock, 'wx', 0o600));
  } catch {
    const left = statSync(lock, { throwIfNoEntry: false });
    if (left && Date.now() - left.mtimeMs > LEFT_MS) rmSync(lock, { force: true });
    return;
  }
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.ino === ino && there.dev === dev) renameSync(file, nextRotated(file, Date.now()));
  } catch {
    // A later line tries again.
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * A LogFile at `file`, made when first used: 0600 in a 0700 folder; opened again when it was moved or removed, and
 * rotated before it would grow beyond `maxBytes`.
 */
export function createLogFile(file: string, maxBytes = Number.POSITIVE_INFINITY): LogFile {
  let opened: Opened | undefined;
  /** The file's size after our last whole line; while it has this size it ends with that line. */
  let end: number | undefined;
  /** Files that were ours until they were moved, while they are written to the disk. */
  const leaving = new Set<Promise<void>>();

  const leave = (): void => {
    if (!opened) return;
    const left = opened.close();
    leaving.add(left);
    const gone = () => leaving.delete(left);
    left.then(gone, gone);
    opened = undefined;
    end = undefined;
  };
  /** The open file and its size; one that was moved or removed meanwhile is opened anew. */
  const ready = (): { fd: number; size: number } => {
    if (opened) {
      const there = statSync(file, { throwIfNoEntry: false });
      if (there?.ino === opened.ino && there.dev === opened.dev) return { fd: opened.fd, size: there.size };
      leave();
    }
    opened = openLog(file);
    return { fd: opened.fd, size: fstatSync(opened.fd).size };
  };
  const withRoom = (): { fd: number; size: number } => {
    const there = ready();
    if (there.size < maxBytes || !opened) return there;
    rotate(file, opened);
    return ready();
  };
  return {
    append(line) {
      const { fd, size } = withRoom();
      const text = size !== end && isTorn(fd, size) ? `\n${line(size)}` : line(size);
      end = undefined;
      writeFileSync(fd, text);
      end = size + Buffer.byteLength(text);
    },
    async sync(which) {
      await Promise.all([opened?.sync(), ...(which === 'all' ? leaving : [])]);
    },
    async close() {
      leave();
      await Promise.allSettled(leaving);
    },
  };
}
