import { addressFor, macFor } from '../../world/lease.ts';
import { makeDisk, shelfOf, wish } from '../../world/volumes.ts';
import type { Config, Guest } from '../../world.ts';
import { Refusal } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError, badParameters } from '../errors.ts';
import { restore } from './archives.ts';
import { settings } from './config.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** What Proxmox VE adds by itself. */
const defaults = (kind: Guest['kind'], vmid: number): Config =>
  kind === 'lxc'
    ? { arch: 'amd64', memory: 512, ostype: 'debian', swap: 512 }
    : {
        meta: 'creation-qemu=10.0.13,ctime=1795144119',
        smbios1: `uuid=ed16686e-f40b-44c4-9941-${String(vmid).padStart(12, '0')}`,
        vmgenid: `a98cd45d-9d8d-4bae-b321-${String(vmid).padStart(12, '0')}`,
      };

/** What belongs to the call and not to the configuration. */
const callOnly = new Set(
  `ostemplate password ssh-public-keys storage pool start unique restore force bwlimit archive live-restore ha-managed
  ignore-unpack-errors import-working-storage node vmid`.split(/\s+/),
);

/** The first disk, the first CD-ROM and the first network card, as a VM without `boot` is started from. */
function bootOrder(config: Config): string {
  const keys = Object.keys(config);
  const disk = keys.find(
    (key) => /^(scsi|virtio|sata|ide)\d+$/.test(key) && !String(config[key]).includes('media=cdrom'),
  );
  const cdrom = keys.find((key) => /^(ide|sata|scsi)\d+$/.test(key) && String(config[key]).includes('media=cdrom'));
  const order = [disk, cdrom, keys.find((key) => /^net\d+$/.test(key))].filter((key) => key !== undefined);
  return order.length === 0 ? ' ' : `order=${order.join(';')}`;
}

/** The configuration without its disks: what was asked for, what Proxmox VE adds, and no secret. */
function configOf(call: Call, kind: Guest['kind']): Config {
  const vmid = call.int('vmid');
  const given = Object.entries(call.params).filter(([key]) => !callOnly.has(key));
  const asked = settings(Object.fromEntries(given), { kind, mac: macFor(vmid) });
  const config: Config = { ...defaults(kind, vmid), ...asked };
  if (kind === 'lxc') config.hostname ??= `CT${vmid}`;
  else config.boot ??= bootOrder(config);
  return config;
}

function newGuest(call: Call, kind: Guest['kind'], config: Config): Guest {
  const vmid = call.int('vmid');
  const imported = Object.values(call.params).some((value) => String(value).includes('import-from='));
  return {
    vmid,
    kind,
    node: call.text('node'),
    status: 'stopped',
    paused: false,
    template: false,
    config,
    pending: {},
    snapshots: [],
    startedAt: 0,
    pid: 4000 + vmid,
    address: addressFor(config, vmid),
    mac: macFor(vmid),
    os: 'Debian GNU/Linux 13 (trixie)',
    agent: imported,
    load: { cpu: 0.02, memory: 90 * MiB, disk: 700 * MiB },
    services: [],
    docker: [],
    journal: [],
  };
}

/** What unpacking a template tells, for a root disk of so many bytes (recording lxc-create). */
function unpackingLog(archive: string, hostname: string, bytes: number): string[] {
  const blocks = bytes / 4096;
  const groups = [1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343].map((group) => group * 32_768);
  const keys = ['ed25519', 'ecdsa', 'rsa'].flatMap((type) => [
    `Creating SSH host key 'ssh_host_${type}_key' - this may take some time ...`,
    `done: SHA256:9zBVXhQSZLzS0KottSoh+ko7e0O+ZlFgVlPNSOveaDU root@${hostname}`,
  ]);
  return [
    `Creating filesystem with ${blocks} 4k blocks and ${blocks / 4} inodes`,
    'Filesystem UUID: 3ce6bbd8-bed3-4d01-988c-6946c88176b6',
    'Superblock backups stored on blocks: ',
    `\t${groups.filter((block) => block < blocks).join(', ')}`,
    `extracting archive '${archive}'`,
    'Total bytes read: 155617280 (149MiB, 25MiB/s)',
    'Detected container architecture: amd64',
    ...keys,
  ];
}

/** Makes the disks, in the order of their keys, and tells what the task's log does. */
function makeDisks(call: Call, kind: Guest['kind'], config: Config): string[] {
  const owner = { kind, vmid: call.int('vmid'), node: call.text('node') };
  if (kind === 'lxc') config.rootfs ??= `${call.text('storage', 'local')}:4`;
  return Object.keys(config)
    .sort()
    .flatMap((key) => {
      const made = makeDisk(call.world, owner, key, String(config[key]));
      if (made === undefined) return [];
      config[key] = made.value;
      return kind === 'lxc' ? made.log : [...made.log, `${key}: successfully created disk '${made.value}'`];
    });
}

/** Every storage that a disk is asked of has to be allowed, and every bridge. */
function checkPlaces(call: Call, kind: Guest['kind']): void {
  for (const [key, value] of Object.entries(call.params)) {
    const asked = wish(key, String(value));
    const bridge = /^net\d+$/.test(key) ? /bridge=([^,]+)/.exec(String(value))?.[1] : undefined;
    if (bridge !== undefined) call.require(`/sdn/zones/localnetwork/${bridge}`, 'SDN.Use');
    if (asked === undefined) continue;
    call.require(`/storage/${asked.storage}`, 'Datastore.AllocateSpace');
    const storage = shelfOf(call.world, asked.storage);
    if (storage.content.includes(kind === 'lxc' ? 'rootdir' : 'images')) continue;
    const content = kind === 'lxc' ? 'container directories' : 'vm images';
    throw badParameters({ storage: `storage '${storage.name}' does not support ${content}` });
  }
}

/** The order of the refusals is that of recordings a-create, e-exists, k-remote-write and z-noquorum-create. */
function create(call: Call, kind: Guest['kind']): string {
  if (kind === 'lxc' ? call.flag('restore') : call.has('archive')) return restore(call, kind);
  const { world } = call;
  const vmid = call.int('vmid');
  const source = kind === 'lxc' ? call.text('ostemplate') : call.text('archive');
  if (!call.who.may(`/vms/${vmid}`, 'VM.Allocate')) throw new ApiError(403, 'Permission check failed\n');
  call.requireQuorum();
  const taken = world.guest(vmid);
  if (taken) throw new Refusal(`${kind === 'lxc' ? 'CT' : 'VM'} ${vmid} already exists on node '${taken.node}'`);
  const volume = /^([a-z][\w.-]*):.+$/i.exec(source);
  if (source !== '' && !volume) {
    throw new Refusal('Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.');
  }
  checkPlaces(call, kind);
  const log: string[] = [];
  const run = () => {
    const known = world.storages.some((storage) => storage.volumes.some(({ volid }) => volid === source));
    if (source !== '' && !known) throw new Refusal(`volume '${source}' does not exist`);
    const config = configOf(call, kind);
    log.push(...makeDisks(call, kind, config));
    const archive = `/var/lib/vz/template/cache/${source.split('/').at(-1)}`;
    const size = Number(/size=(\d+)G/.exec(String(config.rootfs))?.[1] ?? 4) * GiB;
    if (kind === 'lxc') log.push(...unpackingLog(archive, String(config.hostname), size));
    world.guests.push(newGuest(call, kind, config));
  };
  const type = kind === 'lxc' ? 'vzcreate' : 'qmcreate';
  const steps = [{ seconds: 5, run, log: () => log }, ...(call.flag('start') ? [startStep(call, kind)] : [])];
  return world.begin({ node: call.text('node'), type, id: String(vmid), by: call.by, steps }).upid;
}

/** With `start`, the start is a task of its own, begun when the guest is there (recording k-create). */
const startStep = (call: Call, kind: Guest['kind']) => ({
  seconds: 0,
  run: () => void call.world.power(call.ref(kind), 'start', call.by),
});

export const createHandlers: Handlers = {
  'POST /nodes/{node}/lxc': (call) => create(call, 'lxc'),
  'POST /nodes/{node}/qemu': (call) => create(call, 'qemu'),
};
