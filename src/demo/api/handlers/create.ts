import type { Config, Guest } from '../../world.ts';
import { Refusal } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';
import { settings } from './config.ts';

const defaults: Readonly<Record<Guest['kind'], Config>> = {
  lxc: { arch: 'amd64', memory: 512, ostype: 'debian', swap: 512 },
  qemu: { boot: ' ', meta: 'creation-qemu=10.0.13,ctime=1795144119' },
};

/** What belongs to the call and not to the configuration. */
const callOnly = new Set(
  `ostemplate password ssh-public-keys storage pool start unique restore force bwlimit archive live-restore ha-managed
  ignore-unpack-errors import-working-storage node vmid`.split(/\s+/),
);

const macOf = (vmid: number): string =>
  `BC:24:11:${[16, 8, 0]
    .map((shift) => ((vmid >> shift) & 255).toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase()}`;

/** `rootfs=local-lvm:8` asks for 8 GiB; the file names the volume that was made. */
function withDisks(config: Config, kind: Guest['kind'], vmid: number): Config {
  let disk = 0;
  const named = Object.entries(config).map(([key, value]) => {
    const wanted = /^([a-z][\w.-]*):(\d+)(,.*)?$/i.exec(String(value));
    if (!wanted || !/^(rootfs|mp\d+|scsi\d+|virtio\d+|sata\d+|ide\d+)$/.test(key)) return [key, value] as const;
    return [key, `${wanted[1]}:vm-${vmid}-disk-${disk++}${wanted[3] ?? ''},size=${wanted[2]}G`] as const;
  });
  const all = Object.fromEntries(named);
  return kind === 'lxc' && all.rootfs === undefined
    ? { ...all, rootfs: `local:${vmid}/vm-${vmid}-disk-0.raw,size=4G` }
    : all;
}

function newGuest(call: Call, kind: Guest['kind']): Guest {
  const vmid = call.int('vmid');
  const mac = macOf(vmid);
  const given = Object.entries(call.params).filter(([key]) => !callOnly.has(key));
  const config = withDisks({ ...defaults[kind], ...settings(Object.fromEntries(given), { kind, mac }) }, kind, vmid);
  if (kind === 'lxc') config.hostname ??= `CT${vmid}`;
  const address = /ip=([\d./]+)/.exec(String(config.net0))?.[1] ?? '192.168.2.199/24';
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
    address,
    mac,
    os: 'Debian GNU/Linux 13 (trixie)',
    agent: false,
    load: { cpu: 0.02, memory: 90 * 1024 ** 2, disk: 700 * 1024 ** 2 },
    services: [],
    docker: [],
    journal: [],
  };
}

/** The order of the refusals is that of recordings a-create, e-exists, k-remote-write and z-noquorum-create. */
function create(call: Call, kind: Guest['kind']): string {
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
  const run = () => {
    const known = world.storages.some((storage) => storage.volumes.some(({ volid }) => volid === source));
    if (source !== '' && !known) throw new Refusal(`volume '${source}' does not exist`);
    world.guests.push(newGuest(call, kind));
  };
  const type = kind === 'lxc' ? 'vzcreate' : 'qmcreate';
  return world.begin({ node: call.text('node'), type, id: String(vmid), by: call.by, steps: [{ seconds: 5, run }] })
    .upid;
}

export const createHandlers: Handlers = {
  'POST /nodes/{node}/lxc': (call) => create(call, 'lxc'),
  'POST /nodes/{node}/qemu': (call) => create(call, 'qemu'),
};
