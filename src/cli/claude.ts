import { execFile } from 'node:child_process';
import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Entry } from '../setup/clients.ts';

const run = promisify(execFile);
const PATIENCE_MS = 60_000;

/** The program of that name in PATH; undefined when there is none. */
function inPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The program of Claude Code; undefined when it is not in PATH. */
export const findClaude = (): string | undefined => inPath('claude');

/** How this program is called again, as it can be typed: by its name where that is in PATH, else by Node and its file. */
export function calledAs(): string {
  if (inPath('proxmox-ssh-mcp')) return 'proxmox-ssh-mcp';
  const node = inPath('node');
  const same = node !== undefined && realpathSync(node) === realpathSync(process.execPath);
  return `${same ? 'node' : process.execPath} ${realpathSync(process.argv[1] ?? '')}`;
}

/** Adds the server for all projects of this user; rejects with what the program said when it refuses. */
export const addToClaude = (claude: string, name: string, entry: Entry): Promise<void> =>
  told(claude, ['mcp', 'add-json', '--scope', 'user', name, JSON.stringify(entry)]);

/** Takes the server of that name out of this user's scope. */
export const removeFromClaude = (claude: string, name: string): Promise<void> =>
  told(claude, ['mcp', 'remove', '--scope', 'user', name]);

async function told(claude: string, args: readonly string[]): Promise<void> {
  try {
    await run(claude, args, { timeout: PATIENCE_MS });
  } catch (error) {
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    const said = (stderr || stdout || message).trim().split('\n').at(-1);
    throw new Error(`claude ${args.slice(0, 2).join(' ')}: ${said}`);
  }
}
