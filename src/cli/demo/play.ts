import { realpathSync } from 'node:fs';
import { type Demo, startDemo } from '../../demo/index.ts';
import { type Probe, probe } from '../../mcp/probe.ts';
import { mark, say } from '../terminal.ts';
import { type DemoFolder, writeFolder } from './folder.ts';
import { duration, shown, wrapped } from './layout.ts';
import { type Step, steps } from './steps.ts';

interface Played {
  readonly step: Step;
  readonly ms: number;
}

/** Plays the session against a datacentre made for it. Sets exit code 1 when an answer is not what it has to be. */
export async function play(readOnly: boolean): Promise<void> {
  const demo = await startDemo();
  const folder = writeFolder(demo, readOnly ? 'read-only' : 'guarded');
  process.once('exit', () => folder.remove());
  const now: { client?: Probe; ending?: true } = {};
  // The server has to be gone before its folder is.
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    now.ending = true;
    await now.client?.close();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  introduce(demo);
  const bin = realpathSync(process.argv[1] ?? '');
  const client = await connect(bin, folder);
  now.client = client;
  try {
    await playAll(client, readOnly, bin);
  } catch (error) {
    if (now.ending) return;
    mark(`${error instanceof Error ? error.message : String(error)}\n`, 'red');
    process.stderr.write(client.stderr());
    process.exitCode = 1;
  }
  await client.close();
  await demo.stop();
}

async function playAll(client: Probe, readOnly: boolean, bin: string): Promise<void> {
  const chosen = steps.filter(({ reads }) => reads || !readOnly);
  const played: Played[] = [];
  for (const step of chosen) {
    const ms = await playStep(client, step, `${played.length + 1}/${chosen.length}`);
    played.push({ step, ms });
  }
  summarise(played, bin);
}

const width = (): number => Math.min(process.stdout.columns || 80, 120);

function introduce({ api, ssh }: Demo): void {
  const hosts = [...ssh].map(([name, { port }]) => `${name} on port ${port}`).join(', ');
  say('A pretend datacentre is up, on this machine alone: 2 nodes, 8 guests.');
  mark(`  API    https://${api.host}:${api.port}, its own certificate, pinned\n`, 'dim');
  mark(`  SSH    ${hosts}, own host keys\n`, 'dim');
}

async function connect(bin: string, { settingsFile, env }: DemoFolder): Promise<Probe> {
  const start = performance.now();
  const launch = { command: process.execPath, args: [bin, 'serve', '--settings-file', settingsFile], env };
  const client = await probe(launch, (message) => {
    mark('  the server asks:\n', 'yellow');
    say(
      message
        .split('\n')
        .map((line) => wrapped(line, width(), '    '))
        .join('\n'),
    );
    mark('  the demo answers: yes\n', 'yellow');
    return true;
  });
  const tools = await client.tools();
  const ready = `${client.server}, MCP ${client.protocol}, ${tools.length} tools, ready in ${duration(performance.now() - start)}`;
  mark(`  Server ${ready}\n`, 'dim');
  return client;
}

/** Milliseconds that the call took. Throws what was expected when the answer does not say it. */
async function playStep(client: Probe, { asks, tool, args, expects, whole }: Step, count: string): Promise<number> {
  say('');
  mark(`${count}  `, 'dim');
  say(asks);
  const given = Object.entries(args).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  mark(`${wrapped(tool + given.join(''), width(), '  ', '      ')}\n`, 'dim');
  const start = performance.now();
  let last = '';
  const { text, failed } = await client.call(tool, args, (message) => {
    if (message !== last) mark(`${wrapped(message, width(), '    … ')}\n`, 'dim');
    last = message;
  });
  const ms = performance.now() - start;
  say(shown(text, width(), '    ', whole));
  const missing = expects.find((expected) => !expected.test(text));
  if (failed || missing) throw new Error(`Expected of ${tool}: an answer with ${missing ?? 'no failure'}.`);
  mark(`  ${duration(ms)}\n`, 'green');
  return ms;
}

function summarise(played: readonly Played[], bin: string): void {
  say('\nEvery answer was what it has to be:');
  for (const { step, ms } of played) say(`  ${step.tool.padEnd(20)} ${duration(ms).padStart(8)}`);
  const total = played.reduce((sum, { ms }) => sum + ms, 0);
  say(`  ${`${played.length} calls`.padEnd(20)} ${duration(total).padStart(8)}\n`);
  say('To try it by hand in Claude Code:');
  const path = /[^\w/.-]/.test(bin) ? `'${bin.replaceAll("'", `'\\''`)}'` : bin;
  say(`  claude mcp add proxmox-demo -- node ${path} demo --serve`);
}
