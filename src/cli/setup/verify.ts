import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { asFailure } from '../../failure.ts';
import { probe } from '../../mcp/probe.ts';
import type { Entry } from '../../setup/clients.ts';
import { findClaude } from '../claude.ts';
import { checkAll } from '../doctor.ts';
import type { Stage } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';

const LIST_MS = 60_000;

/** Step: the doctor's checks, then the server as a client starts it, then what Claude Code says of it. */
export async function verify({ settingsFile }: Stage, entry: Entry): Promise<boolean> {
  const sound = await checkAll({ settingsFile });
  const answers = await handshake(entry);
  await askClaude();
  return sound && answers;
}

async function handshake({ command, args }: Entry): Promise<boolean> {
  try {
    const client = await during('Starting the server', probe({ command, args: [...args], env: environment() }));
    try {
      const tools = await client.tools();
      const tool = tools.includes('pve_overview') ? 'pve_overview' : 'server_status';
      const { text, failed } = await during('Calling a tool', client.call(tool, {}));
      const line = text.split('\n')[0] ?? '';
      if (failed) trouble(`The server starts, and its first answer is: ${line}`, 'See above for the cure.');
      else done(`The server starts (${tools.length} tools) and answers: ${line}`);
      return !failed;
    } finally {
      await client.close();
    }
  } catch (error) {
    const { message } = asFailure(error);
    trouble(`The server could not be started as a client does it: ${message}`, `Try: ${command} ${args.join(' ')}`);
    return false;
  }
}

const environment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));

async function askClaude(): Promise<void> {
  const claude = findClaude();
  if (claude === undefined) return;
  try {
    const { stdout } = await during(
      'Asking Claude Code',
      promisify(execFile)(claude, ['mcp', 'list'], { timeout: LIST_MS }),
    );
    const line = stdout.split('\n').find((one) => one.includes('proxmox-ssh-mcp'));
    if (line?.includes('✔')) done(`claude mcp list: ${line.trim()}`);
    else note(`claude mcp list: ${line?.trim() ?? 'it is not in the list'}`);
  } catch (error) {
    note(`claude mcp list did not answer: ${(error as Error).message.split('\n')[0]}`);
  }
}
