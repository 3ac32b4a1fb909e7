import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newCa, newSecret, Receiver, signatureOf, status } from '../hooks/receiver.ts';
import { freePort, newKey, type Sshd, startSshd } from '../rig/sshd.ts';
import type { Identity } from '../rig/tls.ts';
import { type Connected, connect, type Person } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';

let ca: Identity;
let dc: Datacentre;
let receiver: Receiver;
let client: Connected | undefined;
const secret = newSecret();
let run = 0;

beforeAll(async () => {
  [ca, dc] = await Promise.all([newCa(), startDatacentre()]);
  await writePrivate(join(dc.dir, 'ca.pem'), ca.cert);
});
beforeEach(async () => {
  receiver = await Receiver.start(ca);
});
afterEach(async () => {
  await client?.close();
  client = undefined;
  await receiver.stop();
});
afterAll(() => dc.stop());

const state = () => join(dc.dir, `state-${run}`);
const yes: Person = () => ({ action: 'accept', content: { confirm: true } });
const no: Person = () => ({ action: 'decline' });

/** Settings with a webhook; the state folder is that of the test. */
const hooked = (settings: Record<string, string> = {}): Record<string, string> => ({
  MCP_WEBHOOK_URL: receiver.url(),
  MCP_WEBHOOK_SECRET: secret,
  MCP_WEBHOOK_CA_FILE: join(dc.dir, 'ca.pem'),
  MCP_TOOLSETS: 'full',
  MCP_AUDIT_FILE: join(state(), 'audit.jsonl'),
  ...settings,
});

/** A server on a state folder of its own, or on that of the one before. */
async function serve(settings: Record<string, string> = {}, person: Person = yes, again = false): Promise<Connected> {
  if (!again) run += 1;
  client = await connect('v2-2026', await dc.launch(hooked(settings)), person);
  return client;
}

describe('change.made', () => {
  it('tells of a change to a guest, with its task, and of nothing that only reads', async () => {
    const server = await serve();
    await server.call('pve_guest_list');
    const power = await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    expect(power.isError).toBe(false);
    const [made] = await receiver.events('change.made');
    expect(made?.event.data).toEqual({
      tool: 'pve_guest_power',
      effect: 'change',
      guest: '101',
      node: expect.stringMatching(/^pve\d$/),
      upid: power.facts.upid,
      verdict: 'ok',
    });
    if (made) expect(made.headers['webhook-signature']).toBe(signatureOf(made, secret));
    expect(receiver.types()).toEqual(['change.made']);
  });

  it('tells of a command, and of neither its text nor what it said', async () => {
    const server = await serve();
    await server.call('ssh_exec', { target: 'pve1', script: 'echo s3kret-output; hostname' });
    const [made] = await receiver.events('change.made');
    expect(made?.event.data).toEqual({
      tool: 'ssh_exec',
      effect: 'execute',
      target: 'pve1',
      host: 'pve1',
      verdict: 'ok',
    });
    expect(made?.body).not.toContain('s3kret');
  });
});

describe('guard.refused', () => {
  it('tells that the mode was read-only', async () => {
    const server = await serve({ MCP_MODE: 'read-only' });
    expect((await server.call('pve_guest_power', { guest: 101, action: 'reboot' })).isError).toBe(true);
    const [refused] = await receiver.events('guard.refused');
    expect(refused?.event.data).toEqual({
      tool: 'pve_guest_power',
      guest: '101',
      verdict: 'refused',
      reason: 'read-only',
    });
  });

  it('tells that a human said no', async () => {
    const server = await serve({}, no);
    expect((await server.call('pve_guest_stop', { guest: 101 })).isError).toBe(true);
    const [refused] = await receiver.events('guard.refused');
    expect(refused?.event.data).toMatchObject({ tool: 'pve_guest_stop', effect: 'destroy', reason: 'declined' });
  });

  it('tells that a guest is protected, and of what repeats itself once', async () => {
    const server = await serve({ MCP_PROTECTED_GUESTS: '101' });
    for (let i = 0; i < 30; i++) await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    await server.call('pve_guest_power', { guest: 102, action: 'reboot' });
    await receiver.events('change.made');
    expect(receiver.types()).toEqual(['guard.refused', 'change.made']);
    expect(receiver.got[0]?.event.data).toMatchObject({ effect: 'change', guest: '101', reason: 'protected' });
  });
});

describe('task.failed', () => {
  it('tells which task, and not what its log says', async () => {
    const server = await serve();
    dc.world.switches.nextTask = { fail: 'storage is full of s3krets' };
    expect((await server.call('pve_guest_power', { guest: 101, action: 'reboot' })).isError).toBe(true);
    const [failed] = await receiver.events('task.failed');
    expect(failed?.event.data).toMatchObject({
      tool: 'pve_guest_power',
      guest: '101',
      upid: expect.stringMatching(/^UPID:/),
      verdict: 'task-failed',
    });
    expect(failed?.body).not.toContain('s3kret');
  });
});

describe('hosts over real SSH', () => {
  let folder: string;
  let hostKeyPath: string;
  let keyPath: string;
  let sshd: Sshd | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'psm-hooks-'));
    hostKeyPath = newKey(folder, 'host');
    keyPath = newKey(folder, 'client');
  });
  afterEach(async () => {
    await sshd?.stop();
    sshd = undefined;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const publicKey = (path: string) => readFileSync(`${path}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
  const startHost = async (port?: number) => {
    sshd = await startSshd({ port, hostKeyPath, authorizedKeys: [publicKey(keyPath)] });
    return sshd;
  };
  /** Settings for the one host web1 at this port, which is known by this host key. */
  const web1 = async (port: number, about: object = {}, knownBy = hostKeyPath): Promise<Record<string, string>> => {
    const hosts = { web1: { address: '127.0.0.1', port, user: 'root', ...about } };
    await writePrivate(join(folder, 'hosts.json'), JSON.stringify({ hosts }));
    await writePrivate(join(folder, 'known'), `[127.0.0.1]:${port} ${publicKey(knownBy)}\n`);
    return {
      MCP_INVENTORY_FILE: join(folder, 'hosts.json'),
      SSH_KNOWN_HOSTS: join(folder, 'known'),
      SSH_KEY_PATH: keyPath,
    };
  };
  const exec = (on: Connected, script = 'true') => on.call('ssh_exec', { target: 'web1', script });

  it('host.unreachable is told once until host.recovered, whichever process sees it', async () => {
    const port = await freePort();
    const settings = await web1(port, { keyPath });
    const first = await serve(settings);
    const second = await connect('v2-2026', await dc.launch(hooked(settings)));
    for (const server of [first, first, second]) {
      expect(await exec(server)).toMatchObject({ isError: true, facts: { error: 'unreachable' } });
    }
    await startHost(port);
    for (const server of [second, first]) expect((await exec(server)).isError).toBe(false);
    await receiver.events('change.made', 2);
    const seen = receiver.got.filter(({ event }) => event.type !== 'change.made').map(({ event }) => event);
    expect(seen.map(({ type }) => type)).toEqual(['host.unreachable', 'host.recovered']);
    expect(seen[0]?.data).toEqual({ host: 'web1', verdict: 'unreachable' });
    expect(seen[1]?.data).toEqual({ host: 'web1', since: expect.stringMatching(/^20.*Z$/) });

    // Lost in the middle of a command, it is told anew.
    const begun = join(folder, 'begun');
    const running = exec(first, `touch ${begun}; sleep 60`);
    while (!existsSync(begun)) await wait(20);
    sshd?.killSessions();
    await running;
    await receiver.events('host.unreachable', 2);
    expect((await exec(first)).isError).toBe(false);
    await receiver.events('host.recovered', 2);
    await second.close();
  });

  it('hostkey.changed is told with both fingerprints, once', async () => {
    const { port, hostKeyFingerprint } = await startHost();
    const other = newKey(mkdtempSync(join(folder, 'other-')), 'host');
    const server = await serve(await web1(port, { keyPath }, other));
    expect(await server.call('ssh_host_trust', { host: 'web1' })).toMatchObject({ facts: { error: 'untrusted' } });
    await receiver.events('hostkey.changed');
    for (let i = 0; i < 3; i++) expect(await exec(server)).toMatchObject({ facts: { error: 'untrusted' } });
    await server.call('ssh_exec', { target: 'pve1', script: 'true' });
    await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    await receiver.events('change.made');
    const changed = await receiver.events('hostkey.changed');
    expect(changed.map(({ event }) => event.data)).toEqual([
      {
        host: 'web1',
        offered: `ssh-ed25519 ${hostKeyFingerprint}`,
        known: [expect.stringMatching(/^ssh-ed25519 SHA256:/)],
        verdict: 'host-key-changed',
      },
    ]);
    expect(receiver.types()).not.toContain('host.unreachable');
  });

  it('a host of its own webhook has what is about it posted there as well, and nothing else', async () => {
    const own = await Receiver.start(ca);
    const { port } = await startHost();
    const server = await serve(await web1(port, { keyPath, webhook: own.url('/web1') }));
    await exec(server);
    await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    await receiver.events('change.made', 2);
    const [mine] = await own.events('change.made');
    expect(own.got).toHaveLength(1);
    expect(mine?.path).toBe('/web1');
    expect(mine?.body).toBe(receiver.got[0]?.body);
    await own.stop();
  });

  it('a host of its own webhook needs none for all', async () => {
    const { port } = await startHost();
    const server = await serve({
      ...(await web1(port, { keyPath, webhook: receiver.url('/own') })),
      MCP_WEBHOOK_URL: '',
    });
    await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    await exec(server);
    await receiver.events('change.made');
    expect(receiver.got.map(({ path, event }) => [path, event.data.tool])).toEqual([['/own', 'ssh_exec']]);
  });

  it('a webhook that a model asks for is set by a human, and not at all in trusted mode', async () => {
    const { port } = await startHost();
    const asked: string[] = [];
    const webhook = receiver.url('/asked').replace('127.0.0.1', 'hooks.example.com');
    const settings = await web1(port, { keyPath });
    const stored = () => JSON.parse(readFileSync(join(folder, 'hosts.json'), 'utf8')).hosts.web1.webhook;
    const server = await serve(settings, (message) => {
      asked.push(message);
      return asked.length === 1 ? { action: 'decline' } : { action: 'accept', content: { confirm: true } };
    });
    const set = (on: Connected, url: string) => on.call('ssh_host_set', { host: 'web1', webhook: url });
    expect((await set(server, receiver.url())).text).toContain('must not lead to this machine');
    expect(asked).toEqual([]);
    expect((await set(server, webhook)).isError).toBe(true);
    expect(stored()).toBeUndefined();
    expect((await set(server, webhook)).isError).toBe(false);
    expect(asked[1]).toContain(`is told what is done on web1 by its webhook: ${new URL(webhook).origin}`);
    expect(asked[1]).not.toContain('/asked');
    expect(stored()).toBe(webhook);
    await server.close();
    const trusted = await serve({ ...settings, MCP_MODE: 'trusted' });
    expect((await set(trusted, '')).text).toContain('A webhook is for a human to decide');
    expect(stored()).toBe(webhook);
  });
});

describe('guarantee 21: no secret leaves by a webhook', () => {
  it('whatever guests, hosts, tasks and calls say', async () => {
    const secrets = {
      PROXMOX_TOKEN_VALUE: dc.api.token.value,
      SSH_PASSWORD: 'corr3ct horse+battery/staple="quoted"',
      SSH_SUDO_PASSWORD: "sudo's Passw0rd",
      SSH_KEY_PASSPHRASE: 'pässphräse ünïque',
      MCP_WEBHOOK_URL: receiver.url('/T0KEN/of-the-url?key=abcdef'),
      MCP_WEBHOOK_SECRET: secret,
    };
    const spellings = Object.values(secrets).flatMap((text) => [
      text,
      Buffer.from(text).toString('base64').replace(/=+$/, ''),
      Buffer.from(text).toString('base64url'),
      Buffer.from(text).toString('hex'),
      encodeURIComponent(text),
      JSON.stringify(text).slice(1, -1),
      text.replaceAll("'", "'\\''"),
    ]);
    const guest = dc.world.guests.find(({ vmid }) => vmid === 101);
    const name = guest?.config.name ?? '';
    const server = await serve({ ...secrets, MCP_PROTECTED_GUESTS: '102', MCP_MODE: 'trusted' });
    let calls = 0;
    for (const word of spellings) {
      if (guest) guest.config.name = word;
      dc.world.switches.nextTask = { fail: word };
      await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
      await server.call('pve_guest_power', { guest: word, action: 'reboot' });
      await server.call('ssh_host_set', { host: word, webhook: 'https://hooks.example.com/' });
      await server.call('ssh_exec', { target: 'pve1', script: `echo '${word.replaceAll("'", "'\\''")}'` });
      calls += 1;
    }
    if (guest) guest.config.name = name;
    await receiver.events('change.made', calls);
    await receiver.events('task.failed', calls);
    await receiver.events('guard.refused');
    const out = receiver.got.map(({ body, headers }) => body + JSON.stringify(headers)).join('\n');
    expect(spellings.filter((word) => out.includes(word))).toEqual([]);
    expect(out).toContain('[secret removed]');
    const folder = join(state(), 'webhooks');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
    const kept = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
    expect(spellings.filter((word) => kept.includes(word))).toEqual([]);
  });
});

describe('a process that is killed', () => {
  it('loses nothing that it has told the client of; the next one brings it, in its order', async () => {
    receiver.answer = status(503);
    const raw = await serve();
    const done: unknown[] = [];
    for (const guest of [101, 102, 101]) {
      done.push((await raw.call('pve_guest_power', { guest, action: 'reboot' })).facts.upid);
    }
    const boxes = () => readdirSync(join(state(), 'webhooks'), { recursive: true, encoding: 'utf8' });
    while (boxes().filter((name) => /\d{13}-/.test(name)).length < 3) await wait(10);
    await receiver.requests(1);
    process.kill(raw.pid, 'SIGKILL');
    while (existsSync(`/proc/${raw.pid}/fd`)) await wait(10);
    const before = receiver.got.length;
    receiver.answer = status(204);
    await serve({}, yes, true);
    await receiver.requests(before + 3);
    expect(receiver.got.slice(before).map(({ event }) => event.data.upid)).toEqual(done);
    expect(receiver.got[before]?.headers['webhook-id']).toBe(receiver.got[0]?.headers['webhook-id']);
  });
});

describe('calls', () => {
  it('are not slowed by a receiver that never answers, nor is the end of the process', async () => {
    receiver.answer = () => undefined;
    const server = await serve();
    const time = async (): Promise<number> => {
      const began = performance.now();
      await server.call('ssh_exec', { target: 'pve1', script: 'true' });
      return performance.now() - began;
    };
    await time();
    await receiver.requests(1);
    const took = [];
    for (let i = 0; i < 10; i++) took.push(await time());
    expect(Math.max(...took)).toBeLessThan(1_000);
    const { pid } = server;
    const began = performance.now();
    process.kill(pid, 'SIGTERM');
    while (existsSync(`/proc/${pid}/fd`)) await wait(5);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('without a webhook', () => {
  it('nothing is written, and no socket is opened, but for the API', async () => {
    const server = await serve({ MCP_WEBHOOK_URL: '' });
    await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    await server.call('pve_guest_power', { guest: 'nosuch', action: 'reboot' });
    // Longer than what an earlier process left would wait for.
    await wait(1_000);
    const peers = readFileSync(`/proc/${server.pid}/net/tcp`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, , peer = '', , , , , , , inode = '']) => (openSockets(server.pid).has(inode) ? [peer] : []));
    const api = `0100007F:${dc.api.port.toString(16).toUpperCase().padStart(4, '0')}`;
    expect([...new Set(peers)]).toEqual([api]);
    expect(existsSync(join(state(), 'webhooks'))).toBe(false);
    expect(receiver.connections).toBe(0);
  });

  it.each([
    ['without a key', { MCP_WEBHOOK_SECRET: '' }, 'MCP_WEBHOOK_SECRET is not, so no event is posted'],
    ['over http', { MCP_WEBHOOK_URL: 'http://127.0.0.1:1/' }, 'MCP_WEBHOOK_URL begins with http://'],
  ])('%s nothing is posted, and it is told', async (_, settings, says) => {
    const server = await serve(settings);
    await server.call('pve_guest_power', { guest: 101, action: 'reboot' });
    const { facts } = await server.call('server_status');
    expect(JSON.stringify(facts.problems)).toContain(says);
    expect(server.stderr()).toContain(says);
    expect(receiver.connections).toBe(0);
  });
});

/** The inodes of the sockets that a process has open. */
const openSockets = (pid: number): Set<string> =>
  new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
