import type { Config, Guest, Storage, Volume } from '../world.ts';
import { Refusal } from './tasks.ts';

/** Where disks are made: what knows the storages, and whose disks they are. */
export interface Shelf {
  storage(name: string): Storage | undefined;
  now(): number;
}
export type Owner = Pick<Guest, 'kind' | 'vmid' | 'node'>;

/** A disk as it was made: what the configuration then says of it, and what the task's log does. */
export interface Made {
  readonly value: string;
  readonly volume: Volume;
  readonly log: readonly string[];
}

/** What `local-lvm:8,discard=on` asks for. */
export interface Wish {
  readonly storage: string;
  /** GiB, or the word `cloudinit`. */
  readonly size: string;
  readonly options: ReadonlyMap<string, string>;
}

const diskKey = /^(rootfs|mp\d+|scsi\d+|virtio\d+|sata\d+|ide\d+|efidisk0|tpmstate0)$/;

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const onFiles = ({ type }: Storage): boolean => type === 'dir' || type === 'nfs';

const optionsOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split(',')
      .filter((part) => part !== '')
      .map((part): [string, string] => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]),
  );

/** The new disk that `key=value` asks for; undefined for anything else. */
export function wish(key: string, value: string): Wish | undefined {
  const [, storage, size, rest = ''] = /^([a-z][\w.-]*):(\d+(?:\.\d+)?|cloudinit)(?:,(.*))?$/i.exec(value) ?? [];
  if (!diskKey.test(key) || storage === undefined || size === undefined) return undefined;
  return { storage, size, options: optionsOf(rest) };
}

/** The storage that a disk is made on; refuses as Proxmox VE does when there is none. */
export function shelfOf(shelf: Pick<Shelf, 'storage'>, name: string): Storage {
  const storage = shelf.storage(name);
  if (storage === undefined) throw new Refusal(`storage '${name}' does not exist`);
  return storage;
}

function freeName(storage: Storage, { kind, vmid }: Owner): string {
  const prefix = kind === 'lxc' && storage.type === 'zfspool' ? 'subvol' : 'vm';
  const taken = (n: number) => storage.volumes.some(({ volid }) => new RegExp(`-${vmid}-disk-${n}(\\D|$)`).test(volid));
  let n = 0;
  while (taken(n)) n++;
  return `${prefix}-${vmid}-disk-${n}`;
}

const printed = (volid: string, options: ReadonlyMap<string, string>): string =>
  [volid, ...[...options].map(([key, value]) => `${key}=${value}`).sort()].join(',');

const sizeText = (bytes: number): string => (bytes % GiB === 0 ? `${bytes / GiB}G` : `${bytes / MiB}M`);

function creationLog(storage: Storage, name: string, format: string, bytes: number): string[] {
  if (storage.type === 'lvmthin') {
    return [`  Logical volume "${name}" created.`, `  Logical volume pve/${name} changed.`];
  }
  if (!onFiles(storage)) return [];
  const file = `${storage.options.path}/images/${name}`;
  if (format !== 'qcow2') return [`Formatting '${file}', fmt=${format} size=${bytes} preallocation=off`];
  const options = 'cluster_size=65536 extended_l2=off preallocation=metadata compression_type=zlib';
  return [`Formatting '${file}', fmt=qcow2 ${options} size=${bytes} lazy_refcounts=off refcount_bits=16`];
}

interface Content {
  readonly name: string;
  readonly bytes: number;
  readonly format: string;
  readonly options: ReadonlyMap<string, string>;
}

function place(shelf: Shelf, storage: Storage, owner: Owner, { name, bytes, format, options }: Content): Made {
  const file = onFiles(storage) ? `${owner.vmid}/${name}.${format}` : name;
  const volume: Volume = {
    volid: `${storage.name}:${file}`,
    ...(storage.shared ? {} : { node: owner.node }),
    content: owner.kind === 'lxc' ? 'rootdir' : 'images',
    format: name.startsWith('subvol') ? 'subvol' : format,
    size: bytes,
    vmid: owner.vmid,
    ctime: Math.floor(shelf.now() / 1000),
  };
  storage.volumes.push(volume);
  return { value: printed(volume.volid, options), volume, log: creationLog(storage, file, format, bytes) };
}

/** Makes the disk that `key=value` asks for; undefined when it asks for none. */
export function makeDisk(shelf: Shelf, owner: Owner, key: string, value: string): Made | undefined {
  const asked = wish(key, value);
  if (asked === undefined) return undefined;
  const storage = shelfOf(shelf, asked.storage);
  const options = new Map(asked.options);
  const format = options.get('format') ?? (onFiles(storage) && owner.kind === 'qemu' ? 'qcow2' : 'raw');
  if (asked.size === 'cloudinit') {
    const media = new Map([['media', 'cdrom']]);
    return place(shelf, storage, owner, {
      name: `vm-${owner.vmid}-cloudinit`,
      bytes: 4 * MiB,
      format,
      options: media,
    });
  }
  const bytes = bytesOf(shelf, key, asked);
  for (const name of ['format', 'import-from']) options.delete(name);
  options.set('size', sizeText(bytes));
  return place(shelf, storage, owner, { name: freeName(storage, owner), bytes, format, options });
}

/** GiB as asked for; small disks of firmware have their own size, imported ones that of their source. */
function bytesOf(shelf: Shelf, key: string, { size, options }: Wish): number {
  if (key === 'efidisk0' || key === 'tpmstate0') return 4 * MiB;
  const source = options.get('import-from');
  if (source === undefined) return Number(size) * GiB;
  const volumes = shelf.storage(source.split(':')[0] ?? '')?.volumes ?? [];
  const found = volumes.find(({ volid }) => volid === source);
  if (found === undefined) throw new Refusal(`volume '${source}' does not exist`);
  return Math.ceil(found.size / GiB) * GiB;
}

/** A disk that holds what another one does: linked to a template's, or a full copy. */
export function copyDisk(shelf: Shelf, owner: Owner, value: string, to: { linked: boolean; storage?: string }): Made {
  const [volid = '', ...rest] = value.split(',');
  const from = shelfOf(shelf, volid.split(':')[0] ?? '');
  const storage = to.storage === undefined ? from : shelfOf(shelf, to.storage);
  const source = from.volumes.find((volume) => volume.volid === volid);
  const options = optionsOf(rest.join(','));
  const cloudInit = volid.includes('-cloudinit');
  const name = cloudInit ? `vm-${owner.vmid}-cloudinit` : freeName(storage, owner);
  const format = onFiles(storage) && owner.kind === 'qemu' ? 'qcow2' : 'raw';
  const made = place(shelf, storage, owner, { name, bytes: source?.size ?? 0, format, options });
  if (!to.linked || cloudInit || storage.type === 'lvmthin') return made;
  const base = volid.slice(volid.indexOf(':') + 1);
  const volume = { ...made.volume, volid: made.volume.volid.replace(':', `:${base}/`) };
  storage.volumes.splice(storage.volumes.indexOf(made.volume), 1, volume);
  return { ...made, volume, value: printed(volume.volid, options) };
}

/** The keys of a configuration that are disks of the guest, a cloud-init drive too, other CD-ROMs not. */
export const disksOf = (config: Config): string[] =>
  Object.keys(config).filter((key) => {
    const value = String(config[key]);
    const cdrom = value.includes('media=cdrom') && !value.includes('-cloudinit');
    return diskKey.test(key) && /^[a-z][\w.-]*:/i.test(value) && !cdrom;
  });
