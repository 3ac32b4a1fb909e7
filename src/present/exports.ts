import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Failure } from '../failure.ts';

/**
 * Writes a text into a new 0600 file in `dir` (made 0700) and gives its path. `name` (`terraform.tf`) is told apart by
 * time and chance, so that nothing is ever written over. A `misconfigured` Failure when it cannot be written.
 */
export const saveFilesIn =
  (dir: string) =>
  async (name: string, text: string): Promise<string> => {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
    const safe = name.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^[-.]+/, '');
    const end = extname(safe);
    const start = safe.slice(0, safe.length - end.length);
    const file = join(dir, `${start}-${stamp}-${randomBytes(4).toString('hex')}${end}`);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await chmod(dir, 0o700);
      await writeFile(file, text, { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      throw new Failure(
        'misconfigured',
        `The file cannot be written to ${dir}: ${cause instanceof Error ? cause.message : cause}`,
        'The operator can set MCP_OUTPUT_DIR to a folder that can be written to.',
        { cause },
      );
    }
    return file;
  };
