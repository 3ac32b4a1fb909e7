import { posix } from 'node:path';

/**
 * The guests whose own configuration or disk a path of a node is, as Proxmox VE names them (pve-guest-common and
 * pve-storage: /etc/pve/…/400.conf, subvol-400-disk-0, /var/lib/lxc/400): they are touched by who writes there. The path may
 * begin anywhere: `~/..` and /proc/1/root lead to the same places.
 */
export function guestsOf({ target, path }: { readonly target?: string; readonly path: string }): number[] {
  if (/^(ct|lxc|vm|qemu)\//.test(target ?? '')) return [];
  const plain = `/${posix.normalize(path)}`;
  const found = [
    ...plain.matchAll(/\/etc\/pve\/.*?(\d{3,9})\.(?:conf|fw)$/g),
    ...plain.matchAll(/\/var\/lib\/lxc\/(\d{3,9})(?=\/|$)/g),
    ...plain.matchAll(/\/(?:base|basevol|subvol|vm)-(\d{3,9})-/g),
    ...plain.matchAll(/\/images\/(\d{3,9})\//g),
  ];
  return found.map(([, vmid]) => Number(vmid));
}
