import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Probe, probe } from '../../src/mcp/probe.ts';

const bin = resolve(import.meta.dirname, '../../bin/proxmox-ssh-mcp.js');

/** Settings of a real host, as an operator may have them in the environment; nothing may be asked of that host. */
const elsewhere = {
  PROXMOX_HOST: 'pve.invalid',
  PROXMOX_TOKEN_NAME: 'root@pam!real',
  PROXMOX_TOKEN_VALUE: '11111111-1111-1111-1111-111111111111',
  SSH_HOST: 'pve.invalid',
  MCP_MODE: 'trusted',
};

let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'psm-demo-test-'));
  environment = { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder, ...elsewhere };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly out: string;
  readonly code: number | null;
}

async function demo(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [bin, 'demo', ...args], { env: environment });
  let out = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString('utf8');
  });
  child.stderr.pipe(process.stderr);
  child.stdin.end();
  const [code] = await once(child, 'close');
  return { out, code };
}

/** What is said, called and asked in docs/demo.svg; npm run recording makes it anew. */
function recorded(): string[] {
  const svg = readFileSync(resolve(import.meta.dirname, '../../docs/demo.svg'), 'utf8');
  const lines = [...svg.matchAll(/<text class="(?:said|call|asked)"[^>]*>([^<]*)</g)].map(([, text = '']) => text);
  expect(lines.length).toBeGreaterThan(16);
  return lines.slice(1).map((line) => line.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
}

describe('demo', () => {
  it('plays the session: every question, call and answer, the confirmation, times, and how to register it', async () => {
    const { out, code } = await demo();
    expect(code, out).toBe(0);
    const parts = out.split(/^\d\/8 {2}/m);
    expect(parts).toHaveLength(9);
    const said: readonly (readonly RegExp[])[] = [
      [/^A pretend datacentre is up/, /Server proxmox-ssh-mcp .* MCP 2026-07-28/],
      [/^Which containers/, /pve_guest_list kind="lxc"/, /400 .*keycloak .*stopped/, /410 .*postgres .*running/],
      [/^How are RAM and CPU/, /pve_overview\n/, /pve1 .*of 64 GiB/],
      [/^Is there room/, /pve_storage_list\n/, /local-lvm/],
      [/^Start container 400/, /… vzstart 400/, /status: running/, /task_state: ok/],
      [/^Is the Keycloak/, /pct_exec vmid=400 script="docker ps"/, /3f1c9a7be204/, /Up /, /exit_code: 0/],
      [/^Restart webzfs/, /Started webzfs\.service/, /webzfs\[\d+\]: webzfs: ready/],
      [/^Take a snapshot/, /snapshot: demo/, /parent: before-upgrade/],
      [/^Cut the power/, /the server asks:\n +Cut the power of CT 400/, /the demo answers: yes/, /status: stopped/],
    ];
    said.forEach((each, i) => {
      for (const expected of each) expect(parts[i]).toMatch(expected);
    });
    for (const part of parts.slice(1)) expect(part).toMatch(/\n {2}\d+(\.\d)? m?s\n/);
    expect(out).toMatch(/8 calls +\d+\.\d s\n/);
    expect(out).toContain(`claude mcp add proxmox-demo -- node ${bin} demo --serve\n`);
    expect(out).not.toContain('\u001b');
    expect(recorded().filter((line) => !out.includes(line))).toEqual([]);
    expect(out.split('\n').filter((line) => line.length > 80 && !line.includes(bin))).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  }, 60_000);

  it('plays what reads when it is read-only', async () => {
    const { out, code } = await demo('--read-only');
    expect(code, out).toBe(0);
    expect(out).toMatch(/3\/3 {2}Is there room/);
    expect(out).not.toContain('pve_guest_power');
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const child = spawn(process.execPath, [bin, 'demo'], { env: environment });
    while (!String((await once(child.stdout, 'data'))[0]).includes('1/8'));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('demo --serve', () => {
  const served = (...args: string[]): Promise<Probe> => {
    const launch = { command: process.execPath, args: [bin, 'demo', '--serve', ...args], env: environment };
    return probe(launch, () => true);
  };

  it('serves the pretend datacentre over its own stdin and stdout, whatever the environment says of a real one', async () => {
    const client = await served();
    try {
      expect(await client.tools()).toContain('pct_exec');
      const list = await client.call('pve_guest_list', { kind: 'lxc' });
      expect(list).toMatchObject({ failed: false, text: expect.stringContaining('keycloak') });
      const second = await client.call('ssh_exec', { target: 'pve2', script: 'hostname' });
      expect(second).toMatchObject({ failed: false, text: expect.stringMatching(/^pve2$/m) });
      const status = await client.call('server_status', {});
      expect(status.text).toContain('guarded');
      expect(status.text).not.toContain('pve.invalid');
    } finally {
      await client.close();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('hides what changes when it is read-only', async () => {
    const client = await served('--read-only');
    try {
      const tools = await client.tools();
      expect(tools).toContain('pve_guest_list');
      expect(tools).not.toContain('ssh_exec');
    } finally {
      await client.close();
    }
  });
});
