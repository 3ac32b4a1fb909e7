import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that only ever grows, by whole lines. */
export interface LogFile {
  /** The last whole line that was in the file before this process wrote to it; empty for a new file. */
  lastLine(): Promise<string>;
  /** Appends `line` with one write; on a line of its own, whatever the file ends with. */
  append(line: string): Promise<void>;
  /** Waits until all that was appended is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const TAIL = 65_536;
const NEWLINE = 10;

async function tailOf(handle: FileHandle): Promise<string> {
  const { size } = await handle.stat();
  const length = Math.min(size, TAIL);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}

/**
 * Whether it ends inside a line: a write was cut, ours or that of another process on the same file. A write of another
 * process that is under way looks the same; the empty line that follows from it is nobody's, and readers pass over it.
 */
async function isTorn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== NEWLINE;
}

/** A LogFile at `file`, made when first used: 0600 in a 0700 folder; opened again when it was moved or removed. */
export function createLogFile(file: string): LogFile {
  let handle: FileHandle | undefined;
  /** The file's size after our last whole line; while it has this size it ends with that line. */
  let end: number | undefined;

  const close = async (): Promise<void> => {
    const opened = handle;
    handle = undefined;
    end = undefined;
    await opened?.close();
  };
  /** The open file and its size; one that was moved or removed meanwhile is opened anew. */
  const ready = async (): Promise<{ opened: FileHandle; size: number }> => {
    if (handle) {
      const [ours, there] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
      if (ours.ino === there?.ino && ours.dev === there.dev) return { opened: handle, size: ours.size };
      await close();
    }
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    handle = await open(file, 'a+', 0o600);
    return { opened: handle, size: (await handle.stat()).size };
  };
  return {
    async lastLine() {
      const tail = await tailOf((await ready()).opened);
      const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
      return whole.trimEnd().split('\n').at(-1) ?? '';
    },
    async append(line) {
      const { opened, size } = await ready();
      const text = size !== end && (await isTorn(opened, size)) ? `\n${line}` : line;
      end = undefined;
      await opened.appendFile(text);
      end = size + Buffer.byteLength(text);
    },
    async sync() {
      await handle?.datasync();
    },
    close,
  };
}
