import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identity } from '../rig/tls.ts';
import { type Connected, connectHttp, eras, type Person } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';
import { type HttpServer, launchHttp, startHttp } from './http-server.ts';
import { until } from './real-host.ts';

let dc: Datacentre;
let http: HttpServer;
beforeAll(async () => {
  dc = await startDatacentre();
  http = await startHttp(dc);
});
afterAll(async () => {
  await http.stop();
  await dc.stop();
});
beforeEach(() => {
  for (const vmid of [400, 101]) Object.assign(dc.world.guest(vmid) ?? {}, { status: 'running' });
  dc.world.requests.length = 0;
});

const open: Connected[] = [];
afterEach(() => Promise.all(open.splice(0).map((client) => client.close())));

describe.each(eras)('over HTTP with a client of %s', (era) => {
  const session = async (person?: Person): Promise<Connected> => {
    const client = await connectHttp(era, http.url, http.token, person);
    open.push(client);
    return client;
  };

  it('lists the tools, runs one, and says how to use them', async () => {
    const client = await session();
    expect(client.protocol).toBe(era === 'v2-2026' ? '2026-07-28' : '2025-11-25');
    expect(client.instructions.length).toBeGreaterThan(500);
    expect((await client.tools()).map(({ name }) => name)).toContain('pve_guest_list');
    const { text } = await client.call('ssh_exec', { target: 'pve1', script: 'echo two' });
    expect(text).toContain('two');
  });

  it('guarantee 20: asks a human, and does what the answer says', async () => {
    const asked: string[] = [];
    const yes = await session((message) => {
      asked.push(message);
      return { action: 'accept', content: { confirm: true } };
    });
    const no = await session(() => ({ action: 'decline' }));
    const refused = await no.call('pve_guest_stop', { guest: 400 });
    expect(refused).toMatchObject({ isError: true, facts: { error: 'refused' } });
    expect(dc.writes()).toEqual([]);
    expect((await yes.call('pve_guest_stop', { guest: 400 })).isError).toBe(false);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/400.*keycloak/s);
    expect(dc.writes()).toHaveLength(1);
  });

  it('refuses what has to be asked to a client that cannot ask, with the cure', async () => {
    const result = await (await session()).call('pve_guest_stop', { guest: 400 });
    expect(result).toMatchObject({ isError: true, facts: { error: 'refused' } });
    expect(result.text).toContain('MCP_MODE=trusted');
    expect(dc.writes()).toEqual([]);
  });

  it('two clients that are asked at once see their own question each', async () => {
    const asked: Record<string, string[]> = { a: [], b: [] };
    let both: () => void = () => undefined;
    const atOnce = new Promise<void>((resolve) => {
      both = resolve;
    });
    const person =
      (who: 'a' | 'b'): Person =>
      async (message) => {
        asked[who]?.push(message);
        if (Object.values(asked).every((seen) => seen.length > 0)) both();
        await atOnce;
        return who === 'a' ? { action: 'accept', content: { confirm: true } } : { action: 'decline' };
      };
    const [a, b] = await Promise.all([session(person('a')), session(person('b'))]);
    const [first, second] = await Promise.all([
      a.call('pve_guest_stop', { guest: 400 }),
      b.call('pve_guest_stop', { guest: 101 }),
    ]);
    expect(asked.a).toEqual([expect.stringContaining('400')]);
    expect(asked.b).toEqual([expect.stringContaining('101')]);
    expect([first.isError, second.isError]).toEqual([false, true]);
    expect(dc.writes().map(({ path }) => path)).toEqual([expect.stringContaining('/400/')]);
  });

  it('ends a command when the client cancels the call', async () => {
    const client = await session();
    const giveUp = new AbortController();
    const script = `sleep 30 # ${era}`;
    const call = client.call('ssh_exec', { target: 'pve1', script }, { signal: giveUp.signal });
    await until(async () => (await dc.audit()).includes(script));
    giveUp.abort();
    await expect(call).rejects.toThrow();
    const lines = async () =>
      (await dc.audit())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const intent = (await lines()).find(({ input }) => input?.script === script);
    expect(intent).toMatchObject({ kind: 'intent', client: 'e2e 1.0.0 (http)' });
    const outcome = async () => (await lines()).find(({ kind, call }) => kind === 'outcome' && call === intent.call);
    await until(async () => (await outcome()) !== undefined);
    expect(await outcome()).toMatchObject({ verdict: 'cancelled' });
  });
});

describe('the token', () => {
  it('is 256 bits in a file that its owner alone can read, and is in no output', async () => {
    const { mode } = await stat(http.tokenFile);
    expect(mode & 0o777).toBe(0o600);
    expect(Buffer.from(http.token, 'base64url')).toHaveLength(32);
    expect(http.stderr()).toContain(http.tokenFile);
    expect(http.stderr()).not.toContain(http.token);
    const client = await connectHttp('v2-2026', http.url, http.token);
    open.push(client);
    const { text } = await client.call('ssh_exec', { target: 'pve1', script: `echo ${http.token}` });
    expect(text).not.toContain(http.token);
    expect(await dc.audit()).not.toContain(http.token);
  });

  it('stays the same after a restart', async () => {
    const second = await startHttp(dc);
    expect(second.token).toBe(http.token);
    const client = await connectHttp('v1', second.url, http.token);
    expect((await client.tools()).length).toBeGreaterThan(10);
    await client.close();
    await second.stop();
  });
});

describe('a start that would not be safe ends with exit code 2 and the cure', () => {
  const refused = async (args: readonly string[], settings: Record<string, string> = {}): Promise<string> => {
    const { gone, url, stderr } = await launchHttp(dc, args, settings);
    expect(url, stderr()).toBeUndefined();
    expect((await gone).code).toBe(2);
    return stderr();
  };
  const tls = async (): Promise<Record<string, string>> => {
    const { key, cert } = await identity();
    await writePrivate(join(dc.dir, 'tls.key'), key);
    await writeFile(join(dc.dir, 'tls.crt'), cert);
    return { MCP_TLS_CERT: join(dc.dir, 'tls.crt'), MCP_TLS_KEY: join(dc.dir, 'tls.key') };
  };

  it.each(['0.0.0.0:0', '[::]:0', '198.51.100.7:0'])('%s without TLS and a word for it', async (address) => {
    expect(await refused(['--http', address])).toContain('SSH tunnel');
    expect(await refused(['--http', address, '--i-understand'])).toContain('SSH tunnel');
    expect(await refused(['--http', address], await tls())).toContain('--i-understand');
  });

  it('a token file that others can read, that is a link, or that holds no token', async () => {
    const kept = await readFile(http.tokenFile, 'utf8');
    try {
      await chmod(http.tokenFile, 0o640);
      expect(await refused(['--http', '127.0.0.1:0'])).toContain('other users can read it');
      await writePrivate(http.tokenFile, 'short\n');
      expect(await refused(['--http', '127.0.0.1:0'])).toContain('it holds no token');
      await writePrivate(join(dc.dir, 'elsewhere'), kept);
      await rm(http.tokenFile);
      await symlink(join(dc.dir, 'elsewhere'), http.tokenFile);
      expect(await refused(['--http', '127.0.0.1:0'])).toContain('it is a symbolic link');
      await rm(http.tokenFile);
      await symlink(join(dc.dir, 'not-there'), http.tokenFile);
      expect(await refused(['--http', '127.0.0.1:0'])).toContain('it is a symbolic link');
      await expect(stat(join(dc.dir, 'not-there'))).rejects.toThrow('ENOENT');
    } finally {
      await rm(http.tokenFile, { force: true });
      await writePrivate(http.tokenFile, kept);
    }
  });

  it('half of TLS, no certificate, a key of another one or one that everybody can read', async () => {
    const { MCP_TLS_CERT = '', MCP_TLS_KEY = '' } = await tls();
    expect(await refused(['--http', '127.0.0.1:0'], { MCP_TLS_CERT })).toContain('only one is set');
    const swapped = { MCP_TLS_CERT: MCP_TLS_KEY, MCP_TLS_KEY };
    expect(await refused(['--http', '127.0.0.1:0'], swapped)).toContain('is not a certificate');
    await chmod(MCP_TLS_KEY, 0o644);
    expect(await refused(['--http', '127.0.0.1:0'], { MCP_TLS_CERT, MCP_TLS_KEY })).toContain('chmod o=');
    await writePrivate(MCP_TLS_KEY, (await identity()).key);
    expect(await refused(['--http', '127.0.0.1:0'], { MCP_TLS_CERT, MCP_TLS_KEY })).toContain('Nothing can listen');
  });

  it('an address that is taken, or is none; an option that is none', async () => {
    const taken = await refused(['--http', new URL(http.url).host]);
    expect(taken).toContain('another program listens there already');
    expect(taken).toContain('clients may have sent it the token');
    for (const address of ['pve1:80', '127.0.0.1', '8765', '127.0.0.1:99999', '127.1:80'])
      expect(await refused(['--http', address])).toContain('Write it as 127.0.0.1:8765');
    expect(await refused(['--http', '127.0.0.1:0', '--bogus'])).toContain('--bogus');
  });
});

describe('guarantee 26: stdio', () => {
  it('reads none of the code that serves HTTP', async () => {
    const { command, args, env } = await dc.launch();
    const trace = join(dc.dir, 'trace');
    const traced = ['-f', '-e', 'trace=open,openat', '-o', trace, command, ...args];
    const { status } = spawnSync('strace', traced, { env, input: '' });
    expect(status).toBe(0);
    const dist = resolve(import.meta.dirname, '../../dist');
    const chunks = (await readdir(join(dist, 'chunks'))).map((name) => join(dist, 'chunks', name));
    const ofHttp = chunks.filter((file) => /Web pages of this origin/.test(readFileSync(file, 'utf8')));
    expect(ofHttp).toHaveLength(1);
    const seen = readFileSync(trace, 'utf8');
    expect(seen).toContain(join(dist, 'main.js'));
    expect(ofHttp.filter((file) => seen.includes(file))).toEqual([]);
  });
});
