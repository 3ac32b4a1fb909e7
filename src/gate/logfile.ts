import { closeSync, fdatasync, fstatSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** A file that only ever grows, by whole lines. All but waiting for the disk is done when a function returns. */
export interface LogFile {
  /** The last whole line that was in the file before this process wrote to it; empty for a new file. */
  lastLine(): string;
  /** Appends `line` with one write; on a line of its own, whatever the file ends with. */
  append(line: string): void;
  /** Waits until all that was appended is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Opened {
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  sync(): Promise<void>;
  /** Waits for the syncs that were asked for. */
  close(): Promise<void>;
}

const TAIL = 65_536;
const NEWLINE = 10;

const datasync = promisify(fdatasync);

function tailOf(fd: number): string {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, TAIL));
  return tail.toString('utf8', 0, readSync(fd, tail, 0, tail.length, size - tail.length));
}

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
    await (next ?? running)?.catch(() => undefined);
    closeSync(fd);
  };
  const { dev, ino } = fstatSync(fd);
  return { fd, dev, ino, sync, close };
}

/** A LogFile at `file`, made when first used: 0600 in a 0700 folder; opened again when it was moved or removed. */
export function createLogFile(file: string): LogFile {
  let opened: Opened | undefined;
  /** The file's size after our last whole line; while it has this size it ends with that line. */
  let end: number | undefined;

  const close = async (): Promise<void> => {
    const left = opened;
    opened = undefined;
    end = undefined;
    await left?.close();
  };
  /** The open file and its size; one that was moved or removed meanwhile is opened anew. */
  const ready = (): { fd: number; size: number } => {
    if (opened) {
      const there = statSync(file, { throwIfNoEntry: false });
      if (there?.ino === opened.ino && there.dev === opened.dev) return { fd: opened.fd, size: there.size };
      void close();
    }
    opened = openLog(file);
    return { fd: opened.fd, size: fstatSync(opened.fd).size };
  };
  return {
    lastLine() {
      const tail = tailOf(ready().fd);
      const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
      return whole.trimEnd().split('\n').at(-1) ?? '';
    },
    append(line) {
      const { fd, size } = ready();
      const text = size !== end && isTorn(fd, size) ? `\n${line}` : line;
      end = undefined;
      writeFileSync(fd, text);
      end = size + Buffer.byteLength(text);
    },
    sync: () => opened?.sync() ?? Promise.resolve(),
    close,
  };
}
