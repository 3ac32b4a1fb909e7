import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../cli/cli.ts';
import { tally } from '../figures.ts';
import { startTerminal, type Terminal } from '../rig/terminal.ts';
import { type Connected, connect, eras, type ToolResult } from './clients.ts';
import { bin, type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
const open: Connected[] = [];
const terminals: Terminal[] = [];
beforeEach(async () => {
  dc = await startDatacentre();
  for (const vmid of [400, 101]) Object.assign(dc.world.guest(vmid) ?? {}, { status: 'running' });
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) terminal.stop();
  await Promise.all(open.splice(0).map((client) => client.close()));
  await dc.stop();
});

const folder = (): string => join(dc.dir, '.local/state/proxmox-ssh-mcp/approvals');
const files = (): string[] => readdirSync(folder()).sort();

/** A client that cannot ask, of a server that lets a terminal answer. */
async function session(settings = {}, era: (typeof eras)[number] = 'v2-2026'): Promise<Connected> {
  const client = await connect(era, await dc.launch({ MCP_APPROVE_IN_TERMINAL: 'yes', ...settings }));
  open.push(client);
  return client;
}

const stop = (client: Connected, guest = 400): Promise<ToolResult> => client.call('pve_guest_stop', { guest });

/** The id that the first call is answered with. */
async function asked(client: Connected, guest = 400): Promise<string> {
  const result = await stop(client, guest);
  expect(result).toMatchObject({ isError: true, facts: { error: 'refused' } });
  const { approve, command } = result.facts as { approve: string; command: string };
  expect(command).toMatch(new RegExp(`approve ${approve}$`));
  expect(result.text).toContain(command);
  expect(dc.writes()).toEqual([]);
  return approve;
}

function terminal(...args: string[]): Terminal {
  const started = startTerminal([process.execPath, bin, 'approve', ...args], {
    HOME: dc.dir,
    PATH: process.env.PATH ?? '',
  });
  terminals.push(started);
  return started;
}

async function answer(id: string, key: 'y' | 'n'): Promise<void> {
  const shown = terminal(id);
  await shown.expect('Let it run, once? [y/N]');
  shown.type(key, 'Enter');
  expect(await shown.ended()).toBe(0);
}

describe.each(eras)('guarantee 20: a yes in another terminal, for a client of %s that cannot ask', (era) => {
  it('does it once, after the question was shown there', async () => {
    const client = await session({}, era);
    const id = await asked(client);
    const list = await cli(['approve'], { home: dc.dir });
    expect(list.stdout).toMatch(new RegExp(`^${id}  \\d+ s ago  pve_guest_stop  400\n  \\| `));
    const shown = terminal(id);
    await shown.expect(/keycloak/);
    await shown.expect('Let it run, once? [y/N]');
    shown.type('y', 'Enter');
    expect(await shown.ended()).toBe(0);
    const done = await stop(client);
    expect(done.isError, done.text).toBe(false);
    expect(dc.writes().map(({ path }) => path)).toEqual(['/nodes/pve1/lxc/400/status/stop']);
    expect(files()).toEqual([]);
    expect((await stop(client)).isError).toBe(true);
    expect(dc.writes()).toHaveLength(1);
    expect(await dc.audit()).toContain('"approved":"terminal"');
    tally(20, 'yeses in a terminal: each done once', 1);
  });
});

describe('guarantee 20: without a yes in a terminal nothing happens', () => {
  it('off by default', async () => {
    const client = await session({ MCP_APPROVE_IN_TERMINAL: 'no' });
    const result = await stop(client);
    expect(result.facts.approve).toBeUndefined();
    expect(result.text).toContain('MCP_APPROVE_IN_TERMINAL=yes');
    expect((await cli(['approve'], { home: dc.dir })).stdout).toBe('Nothing waits for an answer.\n');
    expect(dc.writes()).toEqual([]);
  });

  it('a no, and a denial: 0 effects, and the next call asks anew', async () => {
    const client = await session();
    const first = await asked(client);
    await answer(first, 'n');
    expect((await stop(client)).text).toContain('The operator said no.');
    const second = await asked(client);
    expect(second).not.toBe(first);
    expect((await cli(['approve', second, '--deny'], { home: dc.dir })).stdout).toBe('Denied.\n');
    expect((await stop(client)).text).toContain('The operator said no.');
    expect(dc.writes()).toEqual([]);
  });

  it('a yes through a pipe, or by a command of this server: refused', async () => {
    const client = await session();
    const id = await asked(client);
    const piped = await cli(['approve', id], { home: dc.dir, input: 'y\n' });
    expect(piped).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no terminal to ask on.') });
    const ours = startTerminal(['sh', '-c', `"${process.execPath}" "${bin}" approve ${id}; true`], {
      HOME: dc.dir,
      PATH: process.env.PATH ?? '',
      PSM_RUN: 'x',
    });
    terminals.push(ours);
    await ours.expect('This terminal was opened by a command of this server.');
    expect(files()).toEqual([`${id}.question`]);
    expect(dc.writes()).toEqual([]);
  });

  it('the answer to another question is none', async () => {
    const client = await session({ MCP_CONFIRM_TIMEOUT_S: '5' });
    const [id, other] = [await asked(client), await asked(client, 101)];
    expect((await cli(['approve', other, '--deny'], { home: dc.dir })).code).toBe(0);
    copyFileSync(join(folder(), `${other}.answer`), join(folder(), `${id}.answer`));
    expect((await stop(client)).text).toContain('Nobody answered in time.');
    expect(dc.writes()).toEqual([]);
  });

  it('a question that was changed on the disk is shown to nobody', async () => {
    const client = await session();
    const id = await asked(client);
    const file = join(folder(), `${id}.question`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('keycloak', 'harmless'));
    expect((await cli(['approve'], { home: dc.dir })).stdout).toBe('Nothing waits for an answer.\n');
  });

  it('a yes for other arguments, by another server, after a change of the guest: 0 effects', async () => {
    const [client, second] = [await session(), await session()];
    const [id, theirs] = [await asked(client), await asked(second)];
    expect(theirs).not.toBe(id);
    await answer(id, 'y');
    await asked(client, 101);
    Object.assign(dc.world.guest(400) ?? {}, { node: 'pve2' });
    expect((await stop(client)).text).toContain('has changed since');
    expect(dc.writes()).toEqual([]);
    expect(files().filter((name) => name.startsWith(theirs))).toEqual([`${theirs}.question`]);
  });

  it('too late: 0 effects, and nothing is left', async () => {
    const client = await session({ MCP_CONFIRM_TIMEOUT_S: '5' });
    const id = await asked(client);
    expect((await stop(client)).text).toContain('Nobody answered in time.');
    expect((await cli(['approve', id, '--deny'], { home: dc.dir })).stderr).toContain(`Nothing waits under ${id}.`);
    expect(files()).toEqual([]);
    expect(dc.writes()).toEqual([]);
  });

  it('a folder that tools or others can write: told, and nobody is asked', async () => {
    const within = await session({ MCP_OUTPUT_DIR: join(dc.dir, '.local') });
    expect((await stop(within)).text).toContain('which tools can write.');
    expect((await within.call('server_status')).text).toContain('Approving in a terminal does not work');
    mkdirSync(folder(), { recursive: true });
    chmodSync(folder(), 0o777);
    const shared = await session();
    expect((await stop(shared)).text).toContain(`others could write ${folder()}`);
    expect(dc.writes()).toEqual([]);
  });

  it('the server ends: its questions go with it', async () => {
    const client = await session();
    await asked(client);
    await client.close();
    expect(files()).toEqual([]);
  });
});
