import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from './failure.ts';

const PATIENCE_MS = 3_000;
const AGAIN_MS = 20;
/** Whoever holds it works without a pause but for the disk, so one this old was left behind. */
const LEFT_MS = 10_000;

/**
 * Runs `act`, which may wait for nothing but the disk, while no other process of ours does so for this file. `busy` when
 * another one does not come to an end; `misconfigured` when its folder cannot be written.
 */
export async function locked<T>(file: string, act: () => T | Promise<T>): Promise<T> {
  const lock = `${real(file)}.lock`;
  const end = performance.now() + PATIENCE_MS;
  while (!take(lock, file)) {
    if (performance.now() > end) {
      throw new Failure('busy', `Another process is changing ${file}.`, `Call again; if none is, remove ${lock}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  try {
    return await act();
  } finally {
    rmSync(lock, { force: true });
  }
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function take(lock: string, file: string): boolean {
  try {
    mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
    if (made(lock)) return true;
  } catch (error) {
    const text = `${file} could not be written: ${(error as Error).message}.`;
    throw new Failure('misconfigured', text, 'Make its folder writable for this user.', { cause: error });
  }
  removeLeft(lock);
  return false;
}

/** Whether the file was not there and is now. */
function made(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away first: of several processes that find it left behind, one alone can move it. */
function removeLeft(lock: string): void {
  try {
    if (Date.now() - statSync(lock).mtimeMs < LEFT_MS) return;
    const away = `${lock}.${randomBytes(6).toString('hex')}`;
    renameSync(lock, away);
    rmSync(away, { force: true });
  } catch {
    // Another one was faster.
  }
}
