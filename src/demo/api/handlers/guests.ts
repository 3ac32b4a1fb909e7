import type { PowerAction } from '../../world/power.ts';
import type { Guest } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { badParameters } from '../errors.ts';
import { guestCurrent, guestStatus } from './guest-rows.ts';

const list = (call: Call, kind: Guest['kind']): unknown[] =>
  call.world.guests
    .filter((guest) => guest.node === call.text('node') && guest.kind === kind)
    .filter((guest) => call.who.may(`/vms/${guest.vmid}`, 'VM.Audit'))
    .map((guest) => guestStatus(guest, call.world.now()));

/** `skiplock` is for root@pam itself, which no token is (recording r-skiplock). */
function power(action: PowerAction) {
  return (call: Call, kind: Guest['kind']): string => {
    if (call.has('skiplock')) throw badParameters({ skiplock: 'Only root may use this option.' });
    if (action === 'start') call.requireQuorum();
    return call.world.power(call.ref(kind), action, call.by).upid;
  };
}

/** Addresses as lxc-info sees them; null for a stopped container (recording j-if-stopped). */
function interfaces(call: Call): unknown {
  const guest = call.guest('lxc');
  if (guest.status !== 'running') return null;
  const [address = '', prefix = ''] = guest.address.split('/');
  const card = (name: string, mac: string, addresses: readonly [string, string, 'inet' | 'inet6'][]) => ({
    name,
    hwaddr: mac,
    'hardware-address': mac,
    ...Object.fromEntries(addresses.map(([ip, length, type]) => [type, `${ip}/${length}`])),
    'ip-addresses': addresses.map(([ip, length, type]) => ({
      'ip-address': ip,
      'ip-address-type': type,
      prefix: length,
    })),
  });
  const linkLocal = `fe80::be24:11ff:fe4d:${guest.vmid.toString(16).padStart(4, '0')}`;
  const lo = card('lo', '00:00:00:00:00:00', [
    ['127.0.0.1', '8', 'inet'],
    ['::1', '128', 'inet6'],
  ]);
  const eth0 = card('eth0', guest.mac.toLowerCase(), [
    [address, prefix, 'inet'],
    [linkLocal, '64', 'inet6'],
  ]);
  return [lo, eth0];
}

function destroy(call: Call, kind: Guest['kind']): string {
  if (call.has('skiplock')) throw badParameters({ skiplock: 'Only root may use this option.' });
  call.requireQuorum();
  return call.world.destroy(call.ref(kind), call.flag('purge'), call.by).upid;
}

export const guestHandlers: Handlers = {
  ...forBoth({
    'GET /nodes/{node}/K': list,
    'GET /nodes/{node}/K/{vmid}/status/current': (call, kind) => guestCurrent(call.guest(kind), call.world.now()),
    'POST /nodes/{node}/K/{vmid}/status/start': power('start'),
    'POST /nodes/{node}/K/{vmid}/status/stop': power('stop'),
    'POST /nodes/{node}/K/{vmid}/status/shutdown': power('shutdown'),
    'POST /nodes/{node}/K/{vmid}/status/reboot': power('reboot'),
    'POST /nodes/{node}/K/{vmid}/status/suspend': power('suspend'),
    'POST /nodes/{node}/K/{vmid}/status/resume': power('resume'),
    'DELETE /nodes/{node}/K/{vmid}': destroy,
  }),
  'POST /nodes/{node}/qemu/{vmid}/status/reset': (call) => power('reset')(call, 'qemu'),
  'GET /nodes/{node}/lxc/{vmid}/interfaces': interfaces,
};
