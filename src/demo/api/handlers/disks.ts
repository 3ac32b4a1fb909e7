import { addUnused, bytesOf, checkContent, free, resizeDisk, volumeOf } from '../../world/attached.ts';
import { checkLock } from '../../world/operations.ts';
import { copyDisk } from '../../world/volumes.ts';
import { type Guest, Refusal, type World } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { badParameters } from '../errors.ts';
import { modified } from './config.ts';
import { digestOf } from './guest-rows.ts';

const checkDigest = (call: Call, guest: Guest): void => {
  if (call.has('digest') && call.text('digest') !== digestOf(guest)) throw modified(guest);
};

const sizeOf = (guest: Guest, key: string): number =>
  bytesOf(/(?:^|,)size=([^,]+)/.exec(String(guest.config[key]))?.[1] ?? '0');

/** All is checked in the task (qemu-server, PVE/API2/Qemu.pm; pve-container, PVE/API2/LXC.pm). */
function resize(call: Call, kind: Guest['kind']): string {
  if (call.has('skiplock')) throw badParameters({ skiplock: 'Only root may use this option.' });
  const key = call.text('disk');
  const wanted = call.text('size');
  const guest = call.guest(kind);
  const run = () => {
    checkDigest(call, guest);
    checkLock(guest);
    if (guest.config[key] === undefined) throw new Refusal(`disk '${key}' does not exist`);
    const size = sizeOf(guest, key);
    const next = wanted.startsWith('+') ? size + bytesOf(wanted.slice(1)) : bytesOf(wanted);
    if (next < size)
      throw new Refusal(kind === 'lxc' ? 'unable to shrink disk size' : 'shrinking disks is not supported');
    if (next === size && kind === 'lxc') throw new Refusal('disk is already at specified size');
    resizeDisk(call.world, guest, key, next);
  };
  const { node, vmid } = call.ref(kind);
  return call.world.begin({ node, type: 'resize', id: String(vmid), by: call.by, steps: [{ seconds: 1, run }] }).upid;
}

/** The disk in question, when it can be moved to the storage. */
function movable(call: Call, guest: Guest, key: string): string {
  const volid = volumeOf(guest.config[key]);
  if (guest.config[key] === undefined) throw new Refusal(`disk '${key}' does not exist`);
  if (volid === undefined) throw new Refusal(`disk '${key}' has no associated volume`);
  if (String(guest.config[key]).includes('media=cdrom')) throw new Refusal("you can't move a cdrom");
  const what = guest.kind === 'lxc' ? 'volume' : 'disk';
  if (guest.kind === 'qemu' && volid.startsWith(`${call.text('storage')}:`) && !call.has('format')) {
    throw new Refusal("you can't move to the same storage with same format");
  }
  checkContent(call.world, call.text('storage'), guest.kind);
  const held = guest.snapshots.some(({ config }) => Object.values(config).some((value) => volumeOf(value) === volid));
  if (held && call.flag('delete')) throw new Refusal(`you can't move a ${what} with snapshots and delete the source`);
  return volid;
}

function copy(world: World, guest: Guest, key: string, storage: string, drop: boolean): void {
  const value = String(guest.config[key]);
  const old = volumeOf(value) ?? '';
  guest.config[key] = copyDisk(world, guest, value, { linked: false, storage }).value;
  if (drop) free(world, old);
  else addUnused(guest.config, old);
}

function move(call: Call, kind: Guest['kind']): string {
  const guest = call.guest(kind);
  const key = call.text(kind === 'lxc' ? 'volume' : 'disk');
  if (!call.has('storage')) throw badParameters({ storage: 'property is missing and it is not optional' });
  call.require(`/storage/${call.text('storage')}`, 'Datastore.AllocateSpace');
  checkLock(guest);
  if (kind === 'lxc' && guest.status === 'running') throw new Refusal('cannot move volumes of a running container');
  if (kind === 'lxc' && key.startsWith('unused')) {
    throw new Refusal(`cannot move volume '${key}', only configured volumes can be moved to another storage`);
  }
  checkDigest(call, guest);
  const old = movable(call, guest, key);
  const { node, vmid } = call.ref(kind);
  const type = kind === 'lxc' ? 'move_volume' : 'qmmove';
  const log = [
    `copying volume '${old}' from current storage '${old.split(':')[0]}' to target storage '${call.text('storage')}'`,
  ];
  const run = () => copy(call.world, guest, key, call.text('storage'), call.flag('delete'));
  return call.world.begin({ node, type, id: String(vmid), by: call.by, steps: [{ seconds: 4, run, log }] }).upid;
}

export const diskHandlers: Handlers = {
  ...forBoth({ 'PUT /nodes/{node}/K/{vmid}/resize': resize }),
  'POST /nodes/{node}/lxc/{vmid}/move_volume': (call) => move(call, 'lxc'),
  'POST /nodes/{node}/qemu/{vmid}/move_disk': (call) => move(call, 'qemu'),
};
