import { internet, unreachable } from '../../world/internet.ts';
import { covers } from '../../world/jobs.ts';
import { restoreGuest } from '../../world/restores.ts';
import type { Guest, Volume, World } from '../../world.ts';
import { Refusal } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError, denied } from '../errors.ts';
import { settings } from './config.ts';

const jobs = ({ world }: Call): unknown[] =>
  world.backupJobs.map(({ id, enabled, schedule, nextRun, storage, mode, all, exclude, vmid, comment, keep }) => ({
    id,
    type: 'vzdump',
    enabled: enabled ? 1 : 0,
    schedule,
    ...(nextRun === undefined ? {} : { 'next-run': nextRun }),
    storage,
    mode,
    ...(all ? { all: 1 } : {}),
    ...(exclude === undefined ? {} : { exclude }),
    ...(vmid === undefined ? {} : { vmid }),
    ...(comment === undefined ? {} : { comment }),
    ...(keep === undefined ? {} : { 'prune-backups': keep }),
  }));

const uncovered = ({ world }: Call): unknown[] =>
  world.guests
    .filter((guest) => !world.backupJobs.some((job) => covers(job, guest)))
    .map(({ vmid, kind, config }) => ({ vmid, type: kind, name: config.hostname ?? config.name }));

function findVolume(world: World, volid: string): Volume {
  const found = world.storages.flatMap(({ volumes }) => volumes).find((volume) => volume.volid === volid);
  if (found === undefined) throw new ApiError(500, `volume '${volid}' does not exist\n`);
  return found;
}

function extractConfig(call: Call): string {
  const volume = findVolume(call.world, call.text('volume'));
  call.require(`/storage/${volume.volid.split(':')[0]}`, 'Datastore.AllocateSpace');
  call.require(`/vms/${volume.vmid ?? ''}`, 'VM.Backup');
  const lines = Object.entries(volume.config ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return lines.map(([key, value]) => `${key}: ${String(value).trimEnd()}\n`).join('');
}

/** Either of two ways to be let out onto the network: all of these on /, or this on the node. */
function checkNetwork({ who }: Call, node: string): void {
  const onRoot = who.may('/', 'Sys.Audit') && who.may('/', 'Sys.Modify');
  if (onRoot || who.may(`/nodes/${node}`, 'Sys.AccessNetwork')) return;
  throw denied(`/nodes/${node}`, ['Sys.AccessNetwork']);
}

function metadata(call: Call): unknown {
  checkNetwork(call, call.text('node'));
  const url = call.text('url');
  const file = internet[url];
  if (file === undefined) {
    const { hostname, port } = new URL(url);
    const why = `500 Can't connect to ${hostname}:${port || (url.startsWith('https:') ? 443 : 80)} (No route to host)`;
    throw new ApiError(500, `invalid server response: '${why}'\n`);
  }
  return { filename: url.split('/').at(-1), mimetype: file.mimetype, size: file.size };
}

const folders = { iso: 'template/iso', vztmpl: 'template/cache', import: 'import' } as const;

function download(call: Call): string {
  const name = call.text('storage');
  call.require(`/storage/${name}`, 'Datastore.AllocateTemplate');
  checkNetwork(call, call.text('node'));
  const storage = call.world.storage(name);
  if (storage === undefined) throw new ApiError(500, `storage '${name}' does not exist\n`);
  const content = call.text('content') as keyof typeof folders;
  if (!storage.content.includes(content)) {
    throw new ApiError(500, `storage '${name}' is not configured for content-type '${content}'\n`);
  }
  const filename = call.text('filename').replace(/[^a-zA-Z0-9_.-]/g, '_');
  const url = call.text('url');
  const node = call.text('node');
  const target = `${storage.options.path}/${folders[content]}/${filename}`;
  const volid = `${name}:${content}/${filename}`;
  const file = internet[url];
  const fetch = () => {
    const taken = storage.volumes.some((one) => one.volid === volid && (one.node ?? node) === node);
    if (taken) throw new Refusal(`refusing to override existing file '${target}'`);
    if (file === undefined) throw new Refusal(`download failed: ${unreachable(url)}`);
    const wanted = call.text('checksum', file.sha256);
    if (wanted !== file.sha256) throw new Refusal(`checksum mismatch: got '${file.sha256}' != expect '${wanted}'`);
    const at = storage.shared ? {} : { node };
    const ctime = Math.floor(call.world.now() / 1000);
    storage.volumes.push({ volid, ...at, content, format: filename.split('.').at(-1) ?? '', size: file.size, ctime });
  };
  const clock = new Date(call.world.now()).toISOString().slice(0, 19).replace('T', ' ');
  const log = [`downloading ${url} to ${target}`, `--${clock}--  ${url}`];
  const steps = [
    { seconds: 0, log },
    { seconds: 9, run: fetch, log: [`download of '${url}' to '${target}' finished`] },
  ];
  return call.world.begin({ node, type: 'download', id: filename, by: call.by, steps }).upid;
}

/** What belongs to the call and not to the configuration. */
const callOnly = new Set(`ostemplate archive storage pool start unique restore force bwlimit node vmid`.split(' '));

/** Whoever may back a guest up may also overwrite it from a backup (PVE::API2::LXC, create_vm). */
export function restore(call: Call, kind: Guest['kind']): string {
  const { world, who } = call;
  const vmid = call.int('vmid');
  const force = call.flag('force');
  const over = force && world.guest(vmid) !== undefined && who.may(`/vms/${vmid}`, 'VM.Backup');
  if (!who.may(`/vms/${vmid}`, 'VM.Allocate') && !over) throw new ApiError(403, 'Permission check failed\n');
  call.requireQuorum();
  const archive = call.text(kind === 'lxc' ? 'ostemplate' : 'archive');
  if (call.has('storage')) call.require(`/storage/${call.text('storage')}`, 'Datastore.AllocateSpace');
  const given = Object.entries(call.params).filter(([key]) => !callOnly.has(key));
  const request = {
    archive,
    ...(call.has('storage') ? { storage: call.text('storage') } : {}),
    unique: call.flag('unique'),
    force,
    config: settings(Object.fromEntries(given), { kind, mac: 'BC:24:11:00:00:00' }),
    ...(call.flag('start') ? { after: () => void world.power(call.ref(kind), 'start', call.by) } : {}),
  };
  return restoreGuest(world, call.ref(kind), request, call.by).upid;
}

export const archiveHandlers: Handlers = {
  'GET /cluster/backup': jobs,
  'GET /cluster/backup-info/not-backed-up': uncovered,
  'GET /nodes/{node}/vzdump/extractconfig': extractConfig,
  'GET /nodes/{node}/query-url-metadata': metadata,
  'POST /nodes/{node}/storage/{storage}/download-url': download,
};
