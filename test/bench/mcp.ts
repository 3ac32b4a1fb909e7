import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Launch, type ToolResult } from '../e2e/clients.ts';
import { writePrivate } from '../e2e/datacentre.ts';
import { HOST, type Lab, USER } from './lab.ts';
import { answered, type Road, type Way } from './road.ts';
import { timed } from './timing.ts';

interface Server {
  readonly name: string;
  readonly launch: Launch;
  call(word: string): readonly [tool: string, args: Record<string, unknown>];
  isRight(result: ToolResult, word: string): boolean;
}

/** Our built server. */
export const ours = ({ launch }: Lab): Way =>
  byMcp({
    name: 'ours through MCP',
    launch,
    call: (word) => ['ssh_exec', { target: HOST, script: `echo ${word}` }],
    isRight: ({ facts }, word) => facts.exit_code === 0 && lines(facts.stdout).includes(word),
  });

/** The npm package ssh-mcp, installed into the lab's folder; undefined where it cannot be installed. */
export async function peer({ sshd, folder, launch }: Lab): Promise<Way | undefined> {
  const home = join(folder, 'ssh-mcp');
  mkdirSync(home, { mode: 0o700 });
  try {
    execFileSync('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', 'ssh-mcp'], { stdio: 'pipe' });
  } catch (error) {
    console.log(`ssh-mcp could not be installed, so nothing is compared with it: ${(error as Error).message}`);
    return undefined;
  }
  const at = join(home, 'node_modules', 'ssh-mcp');
  const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { version: string };
  const config = join(home, 'config.toml');
  chmodSync(home, 0o700);
  await writePrivate(
    config,
    `[defaults]\ndefaultProfile = "real"\n[[profiles]]\nname = "real"\nhost = "${sshd.host}"\nport = ${sshd.port}\n` +
      `user = "${USER}"\nauth = "key"\nkeyRef = "${sshd.clientKeyPath}"\nrole = "admin"\napprovalPolicy = "auto"\n`,
  );
  return byMcp({
    name: `ssh-mcp ${version}`,
    launch: {
      command: process.execPath,
      args: [join(at, 'build', 'index.js'), `--config=${config}`],
      env: { ...launch.env, HOME: home },
    },
    call: (word) => ['run-command', { command: `echo ${word}` }],
    isRight: ({ text, isError }, word) => !isError && lines(text).includes(word),
  });
}

const lines = (text: unknown): string[] => String(text).split('\n');

/** Both by the same client. It is of the first generation, because that of today starts a server twice to get to know it. */
function byMcp({ name, launch, call, isRight }: Server): Way {
  const open = async (): Promise<Road> => {
    const client = await connect('v1', launch);
    return {
      pid: client.pid,
      async echo(word) {
        const [tool, args] = call(word);
        return isRight(await client.call(tool, args), word);
      },
      close: () => client.close(),
    };
  };
  const first = async (): Promise<number> => {
    let road: Road | undefined;
    const took = await timed(async () => {
      road = await open();
      await answered(road);
    });
    await road?.close();
    return took;
  };
  return { name, open, first };
}
