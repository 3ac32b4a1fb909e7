import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

// Smaller pieces cost far more of the one thread there is.
const PIECE = 256 * 1024;
const BUFFERS = 16;
const HASHED_AT_ONCE = 1024 * 1024;

/** Opens a regular file that is not a link, as node:fs does; rejects with EISDIR when it is none. */
export async function openRegular(path: string, flags = constants.O_RDONLY): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw Object.assign(new Error('no regular file'), { code: 'EISDIR' });
}

/** SHA-256 of the first `bytes` of a file, in hex; of fewer when it is shorter. */
export async function hashOf(file: FileHandle, bytes: number, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffers = [Buffer.allocUnsafe(HASHED_AT_ONCE), Buffer.allocUnsafe(HASHED_AT_ONCE)] as const;
  const read = (at: number, buffer: Buffer) => file.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
  let next = read(0, buffers[0]);
  try {
    // One piece is read while the other is hashed.
    for (let at = 0, i = 1; at < bytes; i++) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) break;
      signal?.throwIfAborted();
      at += bytesRead;
      next = read(at, buffers[i % 2 === 0 ? 0 : 1]);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  } finally {
    await next.catch(() => undefined);
  }
}

/**
 * The bytes of a file from one place to another, in pieces; `tell` hears where each of them ended. A piece is good until
 * fifteen more were asked for: whoever takes them may hold 3.75 MiB, which is more than a channel does (2 MiB in ssh2).
 */
export async function* piecesOf(
  file: FileHandle,
  from: number,
  to: number,
  tell: (at: number) => void,
): AsyncGenerator<Buffer> {
  // New memory for every piece costs a sixth of the time in garbage collection.
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafe(Math.min(PIECE, to - from)));
  for (let at = from, i = 0; at < to; i++) {
    const buffer = buffers[i % BUFFERS] as Buffer;
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
    tell(at);
  }
}
