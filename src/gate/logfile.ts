import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that only ever grows, by whole lines. */
export interface LogFile {
  /** The last whole line that was in the file before this process wrote to it; empty for a new file. */
  lastLine(): Promise<string>;
  /** Appends `line` with one write, and waits until it is on the disk when it has to be `durable`. */
  append(line: string, durable: boolean): Promise<void>;
  close(): Promise<void>;
}

const TAIL = 65_536;

async function tailOf(handle: FileHandle): Promise<string> {
  const { size } = await handle.stat();
  const length = Math.min(size, TAIL);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}

/** A LogFile at `file`, made when first used: 0600 in a 0700 folder; opened again when it was moved or removed. */
export function createLogFile(file: string): LogFile {
  let handle: FileHandle | undefined;
  let tail = '';
  /** The file does not end with a newline: a write of ours or somebody else's was cut, so a line is begun anew. */
  let torn = false;

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
    tail = await tailOf(handle);
    torn = tail !== '' && !tail.endsWith('\n');
    return handle;
  };
  return {
    async lastLine() {
      await ready();
      return (
        tail
          .slice(0, tail.lastIndexOf('\n') + 1)
          .trimEnd()
          .split('\n')
          .at(-1) ?? ''
      );
    },
    async append(line, durable) {
      const opened = await ready();
      const cut = torn;
      torn = true;
      await opened.appendFile(cut ? `\n${line}` : line);
      torn = false;
      if (durable) await opened.datasync();
    },
    close,
  };
}
