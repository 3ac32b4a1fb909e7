import { Failure } from '../failure.ts';
import { writeOwnFile } from './newfile.ts';

/** Writes a text into a new file in `dir` and gives its path. A `misconfigured` Failure when it cannot be written. */
export const saveFilesIn =
  (dir: string) =>
  (name: string, text: string): Promise<string> =>
    writeOwnFile(dir, name, text).catch((cause: unknown) => {
      throw new Failure(
        'misconfigured',
        `The file cannot be written to ${dir}: ${cause instanceof Error ? cause.message : cause}`,
        'The operator can set MCP_OUTPUT_DIR to a folder that can be written to.',
        { cause },
      );
    });
