import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { join } from 'node:path';
import type { Client } from 'ssh2';
import { z } from 'zod';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { Secret } from '../../src/secret.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import type { Launch } from '../e2e/clients.ts';
import { connect } from '../e2e/clients.ts';
import { startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { initialize, startRaw } from '../e2e/raw.ts';
import { startSshd } from '../rig/sshd.ts';
import { identity, json, TlsRig } from '../rig/tls.ts';
import { mostTokens, weigh } from '../tokens.ts';

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Start of the process to the reply that lists all tools, in milliseconds. */
async function startUp(launch: Launch): Promise<number> {
  const began = performance.now();
  const raw = startRaw(launch);
  await initialize(raw);
  await raw.request('tools/list');
  const took = performance.now() - began;
  raw.child.stdin?.end();
  await raw.gone;
  return took;
}

/** Runs both by turns, so that what else the machine does falls on both. */
async function byTurns(rounds: number, ours: () => Promise<number>, theirs: () => Promise<number>) {
  const taken: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i += 1) {
    taken[0].push(await ours());
    taken[1].push(await theirs());
  }
  return { ours: median(taken[0]), theirs: median(taken[1]) };
}

function tell(what: string, { ours, theirs }: { ours: number; theirs: number }, beside: string, limit: number): void {
  const ratio = (ours / theirs).toFixed(2);
  console.log(
    `${what}: ${ours.toFixed(1)} ms; ${beside}: ${theirs.toFixed(1)} ms; ratio ${ratio} (promised: at most ${limit})`,
  );
}

/** One raw exec over a connection that stays open: what the SSH library itself takes. */
const rawExec = (client: Client, command: string): Promise<void> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      channel.on('close', () => resolve()).resume();
      channel.stderr.resume();
    });
  });

async function rawClient(port: number, keyPath: string): Promise<Client> {
  const { default: ssh2 } = await import('ssh2');
  const sock = tcp({ host: '127.0.0.1', port, noDelay: true });
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject);
    client.connect({ sock, username: 'psm-dash', privateKey: readFileSync(keyPath) });
  });
  return client;
}

const MANY = 10_000;

/** One answer of /cluster/resources with many guests, from a server that has nothing else to do. */
async function manyGuests(): Promise<{ pve: Pve; stop: () => Promise<void> }> {
  const rows = Array.from({ length: MANY }, (_, i) => ({
    ...{ id: `qemu/${100 + i}`, vmid: 100 + i, type: 'qemu', name: `web-${i}`, node: `pve${i % 9}`, status: 'running' },
    ...{ cpu: 0.02, maxcpu: 4, mem: 2_147_483_648, maxmem: 4_294_967_296, disk: 0, maxdisk: 34_359_738_368 },
    ...{ uptime: 86_400 + i, netin: 1, netout: 2, diskread: 3, diskwrite: 4, template: 0, tags: 'web;prod' },
  }));
  const own = await identity();
  const rig = await TlsRig.start(own, json({ data: rows }));
  const fingerprint = new X509Certificate(own.cert).fingerprint256;
  const token = { id: 'root@pam!mcp', secret: new Secret('11111111-2222-3333-4444-555555555555') };
  const pve = createPve({ host: '127.0.0.1', port: rig.port, fingerprint, token });
  const stop = async (): Promise<void> => {
    await pve.close();
    await rig.stop();
  };
  return { pve, stop };
}

/** Listing, filtering and summarising them, against fetching and parsing the same body. */
async function benchMany(): Promise<void> {
  const { pve, stop } = await manyGuests();
  const list = tools.find(({ name }) => name === 'pve_guest_list');
  const context = { pve, signal: new AbortController().signal } as ToolContext;
  const ours = () => timed(async () => list?.run({ name: 'web-99', limit: 100 }, context));
  const theirs = () => timed(() => pve.get(path`/cluster/resources`, z.unknown(), { type: 'vm' }));
  for (let i = 0; i < 5; i += 1) await Promise.all([ours(), theirs()]);
  tell(`${MANY} guests listed`, await byTurns(40, ours, theirs), 'fetching and parsing the same body', 1.5);
  await stop();
}

function tellTokens(): void {
  for (const choice of ['core', 'full'] as const) {
    const { tools: count, tokens } = weigh(choice);
    console.log(`tools/list, ${choice}: ${count} tools, ${tokens} tokens (promised: at most ${mostTokens[choice]})`);
  }
}

tellTokens();
await benchMany();
const datacentre = await startDatacentre();
const sshd = await startSshd();
try {
  const launch = await datacentre.launch();
  const hello = { command: process.execPath, args: [join(import.meta.dirname, 'hello.mjs')], env: launch.env };
  tell(
    'start to all tools listed',
    await byTurns(
      15,
      () => startUp(launch),
      () => startUp(hello),
    ),
    'hello-world server',
    1.1,
  );

  const hosts = join(datacentre.dir, 'bench-hosts.json');
  const known = join(datacentre.dir, 'bench-known-hosts');
  await writePrivate(
    hosts,
    JSON.stringify({ hosts: { real: { address: '127.0.0.1', port: sshd.port, user: 'psm-dash' } } }),
  );
  await writePrivate(known, `${sshd.hostKeyLine}\n`);
  const settings = { MCP_INVENTORY_FILE: hosts, SSH_KNOWN_HOSTS: known, SSH_KEY_PATH: sshd.clientKeyPath };
  const client = await connect('v2-2026', await datacentre.launch(settings));
  const raw = await rawClient(sshd.port, sshd.clientKeyPath);
  const ours = () => timed(() => client.call('ssh_exec', { target: 'real', script: 'true' }));
  const theirs = () => timed(() => rawExec(raw, 'true'));
  for (let i = 0; i < 20; i += 1) await Promise.all([ours(), theirs()]);
  tell('one command through MCP', await byTurns(200, ours, theirs), 'raw ssh2 with noDelay', 2);
  const listed = await client.tools();
  console.log(`tools/list: ${listed.length} tools, ${JSON.stringify(listed).length} characters`);
  raw.end();
  await client.close();
} finally {
  await Promise.all([sshd.stop(), datacentre.stop()]);
}
