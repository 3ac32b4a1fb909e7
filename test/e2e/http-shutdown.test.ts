import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slowest } from '../figures.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { type Connected, connectHttp, eras } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';
import { type HttpServer, startHttp } from './http-server.ts';
import { alive, newMark, realHost, until } from './real-host.ts';

let dc: Datacentre;
let sshd: Sshd;
beforeAll(async () => {
  [dc, sshd] = await Promise.all([startDatacentre(), startSshd()]);
});
afterAll(() => Promise.all([dc.stop(), sshd.stop()]));

/** Tells the server to end, and gives the milliseconds until it is gone. */
async function end({ child, gone }: HttpServer, signal: NodeJS.Signals): Promise<number> {
  const began = performance.now();
  child.kill(signal);
  expect(await gone).toEqual({ code: 0, signal: null });
  return performance.now() - began;
}

describe.each(eras)('guarantee 25: HTTP with a client of %s', (era) => {
  const session = async (): Promise<{ http: HttpServer; client: Connected }> => {
    const http = await startHttp(dc, await realHost(dc, sshd));
    return { http, client: await connectHttp(era, http.url, http.token, () => new Promise(() => undefined)) };
  };

  it.each(['SIGINT', 'SIGTERM'] as const)('idle, %s: gone within 400 ms', async (signal) => {
    const { http, client } = await session();
    await client.tools();
    const ms = await end(http, signal);
    slowest(25, 'over HTTP idle, gone in', ms);
    expect(ms).toBeLessThan(400);
    await client.close().catch(() => undefined);
  });

  it('busy: the call is answered, its processes ended, and the server gone within 2 s', async () => {
    const { http, client } = await session();
    const mark = newMark();
    const told: string[] = [];
    const script = `echo begun; sleep ${mark} & setsid sleep ${mark} & trap '' TERM; sleep ${mark}; sleep 5`;
    const onProgress = (message: string) => told.push(message);
    const call = client.call('ssh_exec', { target: 'real', script }, { onProgress });
    await until(() => alive(mark).length >= 3 && told.includes('begun'));
    const ms = await end(http, 'SIGTERM');
    slowest(25, 'over HTTP busy, gone in', ms);
    expect(ms).toBeLessThan(2000);
    expect(await call).toMatchObject({ isError: true, facts: { error: 'cancelled' } });
    expect(alive(mark)).toEqual([]);
    await client.close().catch(() => undefined);
  });

  it('a question in mid-air: gone within 2 s, 0 writes', async () => {
    const { http, client } = await session();
    const guest = dc.world.guest(400);
    if (guest) guest.status = 'running';
    const asked = async () => (await dc.audit().catch(() => '')).split('"kind":"asked"').length;
    const before = await asked();
    const call = client.call('pve_guest_stop', { guest: 400 }).catch(() => undefined);
    await until(async () => (await asked()) > before);
    expect(await end(http, 'SIGTERM')).toBeLessThan(2000);
    await client.close().catch(() => undefined);
    await Promise.race([call, undefined]);
    expect(dc.writes()).toEqual([]);
  });
});
