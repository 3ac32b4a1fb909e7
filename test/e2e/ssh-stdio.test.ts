import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slowest } from '../figures.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { connect, eras, type Launch } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';
import { initialize, startRaw } from './raw.ts';
import { alive, newMark, realHost, until } from './real-host.ts';

let dc: Datacentre;
let sshd: Sshd;
beforeAll(async () => {
  [dc, sshd] = await Promise.all([startDatacentre(), startSshd()]);
});
afterAll(() => Promise.all([dc.stop(), sshd.stop()]));

/** Our server on the other side of `ssh`, as a client would start it. */
async function overSsh(settings: Readonly<Record<string, string>> = {}): Promise<Launch> {
  const { command, args } = await dc.launch(settings);
  const known = `${dc.dir}/known_hosts-ssh`;
  await writePrivate(known, `${sshd.hostKeyLine}\n`);
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${known}`, 'IdentitiesOnly=yes'];
  const login = ['-F', 'none', '-i', sshd.clientKeyPath, '-p', String(sshd.port), 'root@127.0.0.1'];
  return {
    command: 'ssh',
    args: ['-T', ...options.flatMap((option) => ['-o', option]), ...login, command, ...args],
    env: { PATH: process.env.PATH ?? '' },
  };
}

describe('on another machine, with ssh as the command', () => {
  it.each(eras)('serves a client of %s, asks a human, and is gone with it', async (era) => {
    const guest = dc.world.guest(400);
    if (guest) guest.status = 'running';
    const launch = await overSsh();
    const mark = launch.args.at(-1) ?? '';
    const client = await connect(era, launch, () => ({ action: 'accept', content: { confirm: true } }));
    expect((await client.tools()).map(({ name }) => name)).toContain('pve_overview');
    const stopped = await client.call('pve_guest_stop', { guest: 400 });
    expect(stopped.isError, stopped.text).toBe(false);
    expect(guest?.status).toBe('stopped');
    await client.close();
    await until(() => alive(mark).length === 0);
  });

  it('guarantee 25: ssh is killed in mid-command: the server is gone, and what it ran has ended', async () => {
    const launch = await overSsh(await realHost(dc, sshd));
    const settings = launch.args.at(-1) ?? '';
    const raw = startRaw(launch);
    await initialize(raw);
    const mark = newMark();
    const script = `sleep ${mark} & setsid sleep ${mark}`;
    raw.send('tools/call', { name: 'ssh_exec', arguments: { target: 'real', script } });
    await until(() => alive(mark).length >= 2);
    raw.child.kill('SIGKILL');
    await raw.gone;
    const began = performance.now();
    await until(() => alive(mark).length === 0 && alive(settings).length === 0);
    const ms = performance.now() - began;
    slowest(25, 'over ssh that was killed, all ended in', ms);
    expect(ms).toBeLessThan(5000);
  });
});
