import { afterAll, beforeAll, expect, it } from 'vitest';
import { figure, unproven } from '../figures.ts';
import { memoryOf } from '../rig/memory.ts';
import { startSshd } from '../rig/sshd.ts';
import { connect } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';

let dc: Datacentre;
let sshd: Awaited<ReturnType<typeof startSshd>>;
beforeAll(async () => {
  [dc, sshd] = await Promise.all([startDatacentre(), startSshd()]);
});
afterAll(() => Promise.all([dc.stop(), sshd.stop()]));

const MIB = 1024 * 1024;

it('guarantee 7: 1 GiB on stdout and 64 MiB on stderr at once take 64 MiB of memory at most', {
  timeout: 240_000,
}, async () => {
  const hosts = `${dc.dir}/hosts-real.json`;
  const known = `${dc.dir}/known_hosts-real`;
  const real = { address: sshd.host, port: sshd.port, user: 'psm-dash' };
  await writePrivate(hosts, JSON.stringify({ hosts: { real } }));
  await writePrivate(known, `${sshd.hostKeyLine}\n`);
  const settings = { MCP_INVENTORY_FILE: hosts, SSH_KNOWN_HOSTS: known, SSH_KEY_PATH: sshd.clientKeyPath };
  const client = await connect('v2-2026', await dc.launch(settings));
  const flood = async (mib: number) => {
    const errors = `head -c ${mib * 65536} /dev/zero | tr '\\0' e >&2`;
    const script = `${errors} & yes 'größer 😀' | head -c ${mib * MIB}; wait; echo; echo end`;
    const { facts } = await client.call('ssh_exec', { target: 'real', script, timeout_s: 200 });
    expect(facts).toMatchObject({ exit_code: 0 });
  };
  try {
    await client.call('ssh_exec', { target: 'real', script: 'true' });
    const idle = memoryOf(client.pid, 'VmRSS');
    // What any long output takes, V8's young generation for the most part, it takes once.
    await flood(256);
    const quarter = memoryOf(client.pid, 'VmHWM');
    await flood(1024);
    const whole = memoryOf(client.pid, 'VmHWM');
    figure(
      7,
      `most memory of the program: ${Math.round(whole - quarter)} MiB more than for 256 MiB, ${Math.round(whole - idle)} MiB more than idle`,
    );
    if (whole - idle > 64) unproven(7, '64 MiB over idle: the first long output takes more, whatever its length');
    expect(whole - quarter).toBeLessThan(64);
  } finally {
    await client.close();
  }
});
