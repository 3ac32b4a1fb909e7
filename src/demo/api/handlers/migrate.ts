import { isDisk, volumeOf } from '../../world/attached.ts';
import { checkLock } from '../../world/operations.ts';
import { turnOff, turnOn } from '../../world/power.ts';
import { type Guest, Refusal, type Storage, type World } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { ApiError, badParameters } from '../errors.ts';

/** The guest's volumes on storages that are not shared, each with its storage. */
function localDisks(world: World, guest: Guest) {
  return Object.entries(guest.config).flatMap(([key, value]) => {
    const volid = volumeOf(value);
    const storage = isDisk(key) && volid ? world.storage(volid.split(':')[0] ?? '') : undefined;
    const volume = storage?.volumes.find((one) => one.volid === volid);
    if (volid === undefined || storage === undefined || storage.shared) return [];
    return [{ key, volid, storage, size: volume?.size ?? 0, cdrom: String(value).includes('media=cdrom') }];
  });
}

/** Devices of the node that the VM is given. */
const localResources = ({ config }: Guest): string[] =>
  Object.entries(config)
    .filter(([key, value]) => /^(hostpci|usb|parallel)\d+$/.test(key) && !/mapping=|spice/.test(String(value)))
    .map(([key]) => key);

/** What the API tells of a migration that was not begun (PVE::API2::Qemu and LXC, migrate_vm_precondition). */
function preconditions(call: Call, kind: Guest['kind']): unknown {
  const guest = call.guest(kind);
  checkLock(guest);
  const others = call.world.nodes.map(({ name }) => name).filter((name) => name !== guest.node);
  const running = guest.status === 'running' ? 1 : 0;
  if (kind === 'lxc') return { running, 'allowed-nodes': others, 'not-allowed-nodes': {} };
  const disks = localDisks(call.world, guest);
  return {
    running,
    allowed_nodes: others,
    not_allowed_nodes: {},
    local_disks: disks.map(({ key, volid, size, cdrom }) => ({
      volid,
      size,
      cdrom: cdrom ? 1 : 0,
      is_unused: key.startsWith('unused') ? 1 : 0,
    })),
    local_resources: localResources(guest),
    'mapped-resources': [],
    'mapped-resource-info': {},
    'has-dbus-vmstate': 1,
  };
}

/** What stops the task before it has copied anything. */
function checkInTask(call: Call, guest: Guest, to: Storage | undefined): void {
  const bind = Object.entries(guest.config).find(
    ([key, value]) => /^mp\d+$/.test(key) && /^\/(?!.*shared=1)/.test(String(value)),
  );
  if (bind) throw new Refusal(`cannot migrate local bind mount point '${bind[0]}'`);
  const [resource] = localResources(guest);
  if (resource) throw new Refusal(`can't migrate VM which uses local devices: ${resource}`);
  const disks = localDisks(call.world, guest);
  if (disks.some(({ cdrom }) => cdrom)) throw new Refusal(`can't migrate local cdrom drive '${disks[0]?.volid}'`);
  if (guest.kind === 'qemu' && guest.status === 'running' && disks.length > 0 && !call.flag('with-local-disks')) {
    throw new Refusal("can't live migrate attached local disks without with-local-disks option");
  }
  if (to && !to.content.some((content) => content === 'images' || content === 'rootdir')) {
    throw new Refusal(`storage '${to.name}' does not support guest disks`);
  }
}

/** The guest and its local volumes are on the other node from now on. */
function arrive(call: Call, guest: Guest, to: Storage | undefined): void {
  const node = call.text('target');
  const running = guest.status === 'running';
  for (const { key, volid, storage } of localDisks(call.world, guest)) {
    const volume = storage.volumes.find((one) => one.volid === volid);
    if (volume === undefined) continue;
    storage.volumes.splice(storage.volumes.indexOf(volume), 1);
    const there = to ?? storage;
    const { node: _, ...rest } = volume;
    const moved = volid.replace(/^[^:]+/, there.name);
    there.volumes.push({ ...rest, volid: moved, ...(there.shared ? {} : { node }) });
    guest.config[key] = String(guest.config[key]).replace(volid, moved);
  }
  guest.node = node;
  if (guest.kind === 'lxc' && running) {
    turnOff(guest);
    turnOn(guest, call.world.now());
  }
}

function migrate(call: Call, kind: Guest['kind']): string {
  call.requireQuorum();
  const target = call.text('target');
  if (target === call.node.name) throw badParameters({ target: 'target is local node.' });
  const there = call.world.node(target);
  if (there === undefined) throw new ApiError(500, `no such cluster node '${target}'\n`);
  const guest = call.guest(kind);
  checkLock(guest);
  if (guest.status === 'running' && !call.flag('online') && !call.flag('restart')) {
    const without = kind === 'lxc' ? 'container without --online or --restart' : 'VM without --online';
    throw new Refusal(`can't migrate running ${without}`);
  }
  const name = call.text(kind === 'lxc' ? 'target-storage' : 'targetstorage');
  const to = name === '' ? undefined : call.world.storage(name);
  if (name !== '' && to === undefined) throw new Refusal(`storage '${name}' does not exist`);
  const what = kind === 'lxc' ? 'CT' : 'VM';
  const log = [
    ...(kind === 'lxc' && guest.status === 'running' ? [`shutdown CT ${guest.vmid}`] : []),
    `starting migration of ${what} ${guest.vmid} to node '${target}' (${there.ip})`,
    ...localDisks(call.world, guest).map(({ volid }) => `found local volume '${volid}' (in current VM config)`),
  ];
  return call.world.begin({
    node: call.text('node'),
    type: kind === 'lxc' ? 'vzmigrate' : 'qmigrate',
    id: String(guest.vmid),
    by: call.by,
    steps: [
      { seconds: 1, run: () => checkInTask(call, guest, to), log },
      { seconds: 6, run: () => arrive(call, guest, to), log: ['migration finished successfully (duration 00:00:06)'] },
    ],
  }).upid;
}

/** A bridge for guests and the network card behind it (recording c-netget). */
function networks(call: Call): unknown[] {
  const common = { method: 'manual', method6: 'manual', active: 1, families: ['inet'] };
  const bridge = { bridge_stp: 'off', bridge_fd: '0', autostart: 1, type: 'bridge' };
  const { ip } = call.node;
  const rows = [
    { ...common, iface: 'eno1', type: 'eth', priority: 3, exists: 1, altnames: ['enp2s0'] },
    {
      ...common,
      ...bridge,
      iface: 'vmbr0',
      bridge_ports: 'eno1',
      priority: 4,
      method: 'static',
      address: ip,
      netmask: '24',
      cidr: `${ip}/24`,
      gateway: '192.168.2.1',
    },
    { ...common, ...bridge, iface: 'vmbr1', bridge_ports: '', priority: 5 },
  ];
  const wanted = call.text('type').replace(/^any_(local_)?bridge$/, 'bridge');
  return rows.filter(({ type }) => wanted === '' || wanted === 'include_sdn' || type === wanted);
}

export const migrateHandlers: Handlers = {
  ...forBoth({
    'GET /nodes/{node}/K/{vmid}/migrate': preconditions,
    'POST /nodes/{node}/K/{vmid}/migrate': migrate,
  }),
  'GET /nodes/{node}/network': networks,
};
