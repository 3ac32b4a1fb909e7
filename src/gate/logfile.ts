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
async function isTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== NEWLINE;
}

/** A LogFile at `file`, made when first used: 0600 in a 0700 folder; opened again when it was moved or removed. */
export function createLogFile(file: string): LogFile {
  let handle: FileHandle | undefined;

  const isOurs = async (opened: FileHandle): Promise<boolean> => {
    const [ours, there] = await Promise.all([opened.stat(), stat(file).catch(() => undefined)]);
    return ours.ino === there?.ino && ours.dev === there.dev;
  };
  const close = async (): Promise<void> => {
    const opened = handle;
    handle = undefined;
    await opened?.close();
  };
  const ready = async (): Promise<FileHandle> => {
    if (handle && !(await isOurs(handle))) await close();
    if (handle) return handle;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    handle = await open(file, 'a+', 0o600);
    return handle;
  };
  return {
    async lastLine() {
      const tail = await tailOf(await ready());
      const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
      return whole.trimEnd().split('\n').at(-1) ?? '';
    },
    async append(line) {
      const opened = await ready();
      await opened.appendFile((await isTorn(opened)) ? `\n${line}` : line);
    },
    async sync() {
      await handle?.datasync();
    },
    close,
  };
}
