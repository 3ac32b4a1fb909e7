import { isIP } from 'node:net';
import { z } from 'zod';
import type { Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { num, text } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';

const face = z.object({
  name: z.string(),
  inet: text,
  inet6: text,
  'ip-addresses': z.array(z.object({ 'ip-address': z.string(), prefix: num })).optional(),
});
const lxcShape = z.array(face).nullable();
const qemuShape = z.object({ result: z.array(face) });

/**
 * Addresses of each interface of a running guest, without loopback and link-local ones: of a container as its node
 * sees them, of a VM as its guest agent tells. The guest chooses these texts, so only what is an address is kept.
 */
export async function readAddresses(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<Facts[]> {
  const faces =
    kind === 'lxc'
      ? await pve.get(path`/nodes/${node}/lxc/${vmid}/interfaces`, lxcShape, {}, { signal })
      : (await pve.get(path`/nodes/${node}/qemu/${vmid}/agent/network-get-interfaces`, qemuShape, {}, { signal }))
          .result;
  return (faces ?? []).flatMap((one, i) => {
    const addresses = addressesOf(one).filter(tells);
    const name = /^[\w.:@-]{1,15}$/.test(one.name) ? one.name : `#${i + 1}`;
    return addresses.length > 0 ? [{ interface: name, addresses }] : [];
  });
}

function addressesOf(one: z.infer<typeof face>): string[] {
  const list = one['ip-addresses'];
  if (list === undefined) return [one.inet, one.inet6].filter((address) => address !== undefined);
  return list.map(({ 'ip-address': ip, prefix }) => (prefix === undefined ? ip : `${ip}/${prefix}`));
}

function tells(address: string): boolean {
  const [ip = '', prefix = '0'] = address.split('/');
  return isIP(ip) !== 0 && /^\d{1,3}$/.test(prefix) && !/^(127\.|169\.254\.|::1$|fe80:)/i.test(ip);
}
