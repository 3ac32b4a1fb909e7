import type { Storage, Volume } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';
import { splitList } from '../formats.ts';

const visible = (call: Call): Storage[] =>
  call.world.storages.filter(({ name }) =>
    call.who.may(`/storage/${name}`, 'Datastore.Audit', 'Datastore.AllocateSpace'),
  );

function find(call: Call, name: string): Storage {
  const storage = call.world.storage(name);
  if (storage === undefined) throw new ApiError(500, `storage '${name}' does not exist\n`);
  return storage;
}

const definition = (storage: Storage) => ({
  storage: storage.name,
  type: storage.type,
  content: storage.content.join(','),
  digest: '7f0f2c5b0f7bb93ad4dd3f4e6a5c4ad3f2c9d1e0',
  ...(storage.shared ? { shared: 1 } : {}),
  ...storage.options,
});

function onNode(call: Call): unknown[] {
  const contents = splitList(call.text('content'));
  return visible(call)
    .filter(
      (storage) => contents.length === 0 || contents.some((content) => storage.content.some((own) => own === content)),
    )
    .filter((storage) => !call.has('storage') || storage.name === call.text('storage'))
    .map((storage) => {
      const { total, used, active } = storage;
      const space = active
        ? { total, used, avail: total - used, used_fraction: used / total }
        : { total: 0, used: 0, avail: 0 };
      return {
        storage: storage.name,
        type: storage.type,
        content: storage.content.join(','),
        shared: storage.shared ? 1 : 0,
        enabled: 1,
        active: active ? 1 : 0,
        ...space,
      };
    });
}

/** The backup server's own task. */
const verification = 'UPID:pbs:000002B7:00000C5D:00000006:6AFE7A10:verify:homelab:root@pam:';

const volumeRow = (volume: Volume) => ({
  volid: volume.volid,
  content: volume.content,
  format: volume.format,
  size: volume.size,
  ctime: volume.ctime,
  ...(volume.vmid === undefined ? {} : { vmid: volume.vmid }),
  ...(volume.subtype === undefined ? {} : { subtype: volume.subtype }),
  ...(volume.notes === undefined ? {} : { notes: volume.notes }),
  ...(volume.protected ? { protected: 1 } : {}),
  ...(volume.verified === undefined ? {} : { verification: { state: volume.verified, upid: verification } }),
});

/** What is left out of a listing in silence (PVE::Storage::check_volume_access); whoever names the owner sees its volumes. */
function mayUse(call: Call, { name }: Storage, { content, vmid }: Volume): boolean {
  const onStorage = (...any: string[]): boolean => call.who.may(`/storage/${name}`, ...any);
  if (onStorage('Datastore.Allocate')) return true;
  if (vmid === undefined) return onStorage('Datastore.AllocateSpace', 'Datastore.Audit');
  if (call.has('vmid')) return true;
  if (content === 'backup') return onStorage('Datastore.AllocateSpace') && call.who.may(`/vms/${vmid}`, 'VM.Backup');
  return onStorage('Datastore.Audit') && call.who.may(`/vms/${vmid}`, 'VM.Config.Disk');
}

function content(call: Call): unknown[] {
  const storage = find(call, call.text('storage'));
  if (!storage.active) throw new ApiError(500, `storage '${storage.name}' is not online\n`);
  return storage.volumes
    .filter((volume) => volume.node === undefined || volume.node === call.text('node'))
    .filter((volume) => !call.has('content') || volume.content === call.text('content'))
    .filter((volume) => !call.has('vmid') || volume.vmid === call.int('vmid'))
    .filter((volume) => mayUse(call, storage, volume))
    .map(volumeRow);
}

/** A volume in a path is `local:iso/x.iso`, or `iso/x.iso` below its storage. */
function volumeId(call: Call): string {
  const text = call.text('volume');
  return text.includes(':') ? text : `${call.text('storage')}:${text}`;
}

function remove(call: Call): string {
  const volid = volumeId(call);
  const storage = find(call, volid.split(':')[0] ?? '');
  const owner = storage.volumes.find((volume) => volume.volid === volid && volume.content === 'backup')?.vmid;
  call.require(`/storage/${storage.name}`, owner === undefined ? 'Datastore.Allocate' : 'Datastore.AllocateSpace');
  if (owner !== undefined) call.require(`/vms/${owner}`, 'VM.Backup');
  return call.world.deleteVolume(call.text('node'), storage, volid, call.by).upid;
}

function annotate(call: Call): null {
  const volid = volumeId(call);
  const storage = find(call, volid.split(':')[0] ?? '');
  call.require(`/storage/${storage.name}`, 'Datastore.Allocate');
  const volume = storage.volumes.find((candidate) => candidate.volid === volid);
  if (volume === undefined) throw new ApiError(500, `volume '${volid}' does not exist\n`);
  if (call.has('notes')) volume.notes = call.text('notes');
  if (call.has('protected')) volume.protected = call.flag('protected');
  return null;
}

/** vzdump's own command line is the first line of its log; guests of other nodes are left to those nodes. */
function backUp(call: Call): string {
  for (const name of ['tmpdir', 'dumpdir', 'script', 'job-id']) {
    if (call.has(name)) throw new ApiError(403, `Permission check failed (Only root may set '${name}')\n`);
  }
  const node = call.text('node');
  const here = call.world.guests.filter((guest) => guest.node === node && !guest.template);
  const wanted = splitList(call.text('vmid')).map(Number);
  const excluded = splitList(call.text('exclude')).map(Number);
  const vmids = here
    .map(({ vmid }) => vmid)
    .filter((id) => (call.flag('all') ? !excluded.includes(id) : wanted.includes(id)));
  for (const vmid of vmids) call.require(`/vms/${vmid}`, 'VM.Backup');
  const storage = find(call, call.text('storage', 'local'));
  call.require(`/storage/${storage.name}`, 'Datastore.AllocateSpace');
  if (vmids.length === 0) return 'OK';
  const flags = Object.entries(call.params).filter(([key]) => key !== 'vmid' && key !== 'node');
  const shown = flags.map(
    ([key, value]) => ` --${key} ${typeof value === 'boolean' ? Number(value) : shellWord(String(value))}`,
  );
  const command = `vzdump ${vmids.join(' ')}${shown.join('')} --node ${node}`;
  const extension = { zstd: '.zst', gzip: '.gz', lzo: '.lzo' }[call.text('compress')] ?? '';
  const notes = call.text('notes-template');
  const mode = call.text('mode', 'snapshot') as 'snapshot' | 'suspend' | 'stop';
  const request = { node, vmids, storage, mode, command, extension, notes, protected: call.flag('protected') };
  return call.world.backUp(request, call.by).upid;
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;

export const storageHandlers: Handlers = {
  'GET /storage': (call) =>
    visible(call)
      .filter(({ type }) => !call.has('type') || type === call.text('type'))
      .map(definition),
  'GET /nodes/{node}/storage': onNode,
  'GET /nodes/{node}/storage/{storage}/content': content,
  'DELETE /nodes/{node}/storage/{storage}/content/{volume}': remove,
  'PUT /nodes/{node}/storage/{storage}/content/{volume}': annotate,
  'POST /nodes/{node}/vzdump': backUp,
};
