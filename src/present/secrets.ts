import { randomBytes, randomInt } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { Secret } from '../secret.ts';

/** No letter or digit that looks like another one: the file may have to be typed from. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const LENGTH = 24;

/** A secret that was made here, and the file that an operator finds it in. */
export interface KeptSecret {
  readonly value: Secret;
  readonly file: string;
}

const newPassword = (): string => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

const fileNameOf = (label: string): string =>
  label
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .slice(0, 60)
    .replace(/^[-.]+|[-.]+$/g, '');

/**
 * Makes passwords of 24 characters (about 138 bits). Each is held by the redaction before it is written anywhere, then
 * kept in a new 0600 file in `dir` (made 0700) that is named after its label. A `misconfigured` Failure when it cannot
 * be kept.
 */
export const keepSecretsIn =
  (dir: string, hold: (secret: Secret) => void) =>
  async (label: string): Promise<KeptSecret> => {
    const value = new Secret(newPassword());
    hold(value);
    const file = join(dir, `${fileNameOf(label)}-${randomBytes(4).toString('hex')}.txt`);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await chmod(dir, 0o700);
      await writeFile(file, `${value.reveal()}\n`, { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      throw new Failure(
        'misconfigured',
        `A password was to be made, but it cannot be kept in ${dir}: ${cause instanceof Error ? cause.message : cause}`,
        'The operator can set MCP_OUTPUT_DIR to a folder that can be written to; or give an SSH key instead.',
        { cause },
      );
    }
    return { value, file };
  };
