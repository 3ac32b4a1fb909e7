import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../failure.ts';
import { Secret } from '../secret.ts';
import { reason } from './problem.ts';

const SHAPE = /^[A-Za-z0-9_-]{32,256}$/;

/** No symbolic link is followed, and a pipe does not keep us waiting. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const unusable = (file: string, why: string, cure: string): Failure =>
  new Failure('misconfigured', `The token file ${file} cannot be used: ${why}.`, cure);

/**
 * The bearer token that HTTP clients have to show: 256 random bits in a file that its owner alone can read, made when
 * there is none. A `misconfigured` Failure when the file is open to others, somebody else's, a link, or no token.
 */
export function httpToken(file: string, uid: number | undefined): Secret {
  try {
    makeOnce(file);
    return read(file, uid);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ELOOP' ? 'it is a symbolic link' : reason(error);
    throw unusable(file, why, 'Make its folder writable for this user, or remove what stands in its place.');
  }
}

function makeOnce(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function read(file: string, uid: number | undefined): Secret {
  const handle = openSync(file, READ);
  try {
    const found = fstatSync(handle);
    if (!found.isFile()) throw unusable(file, 'it is no file', 'Remove it; a new one is made at the next start.');
    if (uid !== undefined && (found.uid !== uid || (found.mode & 0o077) !== 0)) {
      const why = found.uid === uid ? 'other users can read it' : 'it belongs to another user';
      throw unusable(file, why, 'Remove it, because its token is known; a new one is made at the next start.');
    }
    const text = readFileSync(handle, 'utf8').trim();
    if (SHAPE.test(text)) return new Secret(text);
    throw unusable(file, 'it holds no token', 'Remove it; a new one is made at the next start.');
  } finally {
    closeSync(handle);
  }
}
