import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { Secret } from '../../src/secret.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { identity, json, TlsRig } from '../rig/tls.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

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

/** Listing, filtering and summarising many guests, beside fetching and parsing the same body. */
export async function guests(): Promise<Row[]> {
  const { pve, stop } = await manyGuests();
  const list = tools.find(({ name }) => name === 'pve_guest_list');
  const context = { pve, signal: new AbortController().signal } as ToolContext;
  const ourWay = () => timed(async () => list?.run({ name: 'web-99', limit: 100 }, context));
  const theirWay = () => timed(() => pve.get(path`/cluster/resources`, z.unknown(), { type: 'vm' }));
  for (let i = 0; i < 5; i += 1) await Promise.all([ourWay(), theirWay()]);
  const { ours, theirs } = await byTurns(40, { ours: { work: ourWay }, theirs: { work: theirWay } });
  await stop();
  return [compared({ what: `${MANY} guests listed`, ours, theirs, beside: 'fetching and parsing them', most: 1.5 })];
}
