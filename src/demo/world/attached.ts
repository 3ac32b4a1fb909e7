import type { Config, Guest, World } from '../world.ts';
import { Refusal } from './tasks.ts';
import { makeDisk, shelfOf, wish } from './volumes.ts';

type Storages = Pick<World, 'storages'>;

const GiB = 1024 ** 3;
const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: GiB, T: 1024 * GiB };

/** Keys whose values are disks; `unused0` is a volume that is no disk any more. */
export const isDisk = (key: string): boolean =>
  /^(rootfs|(mp|scsi|virtio|sata|ide|efidisk|tpmstate|unused)\d+)$/.test(key);

/** The volume that a disk is; none for a folder or device of the node, and for an empty drive. */
export function volumeOf(value: unknown): string | undefined {
  const [volid = ''] = String(value).split(',');
  return /^[a-z][\w.-]*:/i.test(volid) ? volid : undefined;
}

/** Bytes of `32G`. */
export function bytesOf(size: string): number {
  const [, number = '0', unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(size) ?? [];
  return Number(number) * (units[unit] ?? 1);
}

/** `32G`, as print_drive writes a size. */
export const sizeText = (size: number): string =>
  size % GiB === 0 ? `${size / GiB}G` : size % 1024 ** 2 === 0 ? `${size / 1024 ** 2}M` : `${Math.ceil(size / 1024)}K`;

/** Refuses a storage that takes no disks of such a guest. */
export function checkContent(world: World, name: string, kind: Guest['kind']): void {
  const { content } = shelfOf(world, name);
  if (kind === 'lxc' && !content.includes('rootdir')) {
    throw new Refusal(`storage '${name}' does not allow content type 'rootdir' (Container)`);
  }
  if (kind === 'qemu' && !content.includes('images')) {
    throw new Refusal(`storage '${name}' does not support content-type 'images'`);
  }
}

/** Deletes a volume, if it is there. */
export function free({ storages }: Storages, volid: string): void {
  for (const { volumes } of storages) {
    const i = volumes.findIndex((volume) => volume.volid === volid);
    if (i >= 0) volumes.splice(i, 1);
  }
}

/** The value as it goes into the file: `local-lvm:8,mp=/srv` asks for a volume of 8 GiB, which is made. */
export function withVolume(world: World, guest: Guest, key: string, value: string): string {
  const asked = wish(key, value);
  if (asked) checkContent(world, asked.storage, guest.kind);
  return makeDisk(world, guest, key, value)?.value ?? value;
}

/** Notes a volume that no disk names any more. */
export function addUnused(config: Config, volid: string): string {
  let i = 0;
  while (config[`unused${i}`] !== undefined) i++;
  config[`unused${i}`] = volid;
  return `unused${i}`;
}

/** Takes a disk out of the configuration: its volume becomes an unused one; that of an unused one goes, or with `force`, if it is its own. */
export function detach(world: Storages | undefined, guest: Guest, key: string, force = false): void {
  const volid = volumeOf(guest.config[key]);
  const media = String(guest.config[key]).includes('media=cdrom');
  delete guest.config[key];
  if (volid === undefined || media) return;
  const own = volid.includes(`-${guest.vmid}-`);
  if (world && (force || key.startsWith('unused'))) {
    if (own) free(world, volid);
  } else if (!key.startsWith('unused')) addUnused(guest.config, volid);
}

/** Replaces `size=` in a disk's value and in its volume. */
export function resizeDisk({ storages }: Storages, guest: Guest, key: string, size: number): void {
  const value = String(guest.config[key]);
  const volid = volumeOf(value);
  guest.config[key] = /,size=[^,]+/.test(value)
    ? value.replace(/,size=[^,]+/, `,size=${sizeText(size)}`)
    : `${value},size=${sizeText(size)}`;
  for (const { volumes } of storages) {
    const i = volumes.findIndex((volume) => volume.volid === volid);
    const known = volumes[i];
    if (known) volumes[i] = { ...known, size };
  }
}
