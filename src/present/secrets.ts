import { randomInt } from 'node:crypto';
import { Failure } from '../failure.ts';
import { Secret } from '../secret.ts';
import { writeOwnFile } from './newfile.ts';

/** No letter or digit that looks like another one: the file may have to be typed from. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const LENGTH = 24;

/** A secret that was made here, and the file that an operator finds it in. */
export interface KeptSecret {
  readonly value: Secret;
  readonly file: string;
}

const newPassword = (): string => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/**
 * Makes passwords of 24 characters (about 138 bits). Each is held by the redaction before it is written anywhere, then
 * kept in a new file in `dir` that is named after its label. A `misconfigured` Failure when it cannot
 * be kept.
 */
export const keepSecretsIn =
  (dir: string, hold: (secret: Secret) => void) =>
  async (label: string): Promise<KeptSecret> => {
    const value = new Secret(newPassword());
    hold(value);
    const file = await writeOwnFile(dir, `${label}.txt`, `${value.reveal()}\n`).catch((cause: unknown) => {
      throw new Failure(
        'misconfigured',
        `A password was to be made, but it cannot be kept in ${dir}: ${cause instanceof Error ? cause.message : cause}`,
        'The operator can set MCP_OUTPUT_DIR to a folder that can be written to; or give an SSH key instead.',
        { cause },
      );
    });
    return { value, file };
  };
