import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { cli } from './cli.ts';

let datacentre: Datacentre;
beforeAll(async () => {
  datacentre = await startDatacentre();
});
afterAll(() => datacentre.stop());

it('lists every host with its login, the way there and where it is known from', async () => {
  const file = (await datacentre.launch()).args[3] ?? '';
  const given = { home: datacentre.dir };
  const ran = await cli(['hosts', '--settings-file', file], given);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const rows = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(rows[0]).toEqual(['NAME', 'LOGIN', 'VIA', 'KNOWN FROM', 'PURPOSE']);
  expect(rows.slice(1)).toEqual([
    ['pve1', `root@127.0.0.1:${datacentre.ssh.port}`, 'settings'],
    ['pve2', expect.stringMatching(/^root@\d+\.\d+\.\d+\.\d+/), 'node'],
  ]);
  const json = await cli(['hosts', '--json', '--settings-file', file], given);
  expect(JSON.parse(json.stdout)).toHaveLength(2);
});

it('lists what it knows without the API, and says what is wrong', async () => {
  const file = (await datacentre.launch({ PROXMOX_PORT: '1', MCP_MODE: 'none' })).args[3] ?? '';
  const ran = await cli(['hosts', '--settings-file', file], { home: datacentre.dir });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain('127.0.0.1');
  expect(ran.stderr).toContain('MCP_MODE');
});

it('shows what a host is noted to be on one line each, and as JSON that is right', async () => {
  const purpose = 'shop\npve1  root@203.0.113.66\u009b31m\u202eevil\u001b]8;;x\u0007';
  const inventory = `${datacentre.dir}/hostile.json`;
  await writePrivate(inventory, JSON.stringify({ hosts: { web1: { address: '192.0.2.5', purpose } } }));
  const file = (await datacentre.launch({ MCP_INVENTORY_FILE: inventory })).args[3] ?? '';
  const given = { home: datacentre.dir };
  const { stdout } = await cli(['hosts', '--settings-file', file], given);
  expect(stdout.split('\n').filter((line) => /^(web1|pve1) /.test(line))).toHaveLength(2);
  expect(stdout).toContain('shop\\npve1  root@203.0.113.66\\x9b31m\\u{202e}evil');
  const json = await cli(['hosts', '--json', '--settings-file', file], given);
  expect(json.stdout).toMatch(/^[\x20-\x7e\n]+$/);
  expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ name: 'web1', purpose }));
});
