import type { Guest } from '../../pve/guests.ts';

/** QEMU options that belong to none of the groups a privilege covers (qemu-server, PVE/API2/Qemu.pm, check_vm_modify_config_perm). */
const ofVm =
  /^(args|hookscript|affinity|ivshmem|parallel\d+|amd-sev|intel-tdx|hugepages|keephugepages|spice_enhancements|arch|vmgenid)$/;

interface Wish {
  readonly kind: Guest['kind'];
  readonly key: string;
  /** As it is; absent when it is not set. */
  readonly before?: string;
  /** As it is to be; absent when it is to go. */
  readonly after?: string;
  readonly unprivileged: boolean;
}

/**
 * Why no token may make this change, whatever its privileges; undefined when one may. A token of root@pam is not
 * root@pam (pve-container, PVE/LXC.pm, check_ct_modify_config_perm; recordings r-*).
 */
export const rootOnly = (wish: Wish): string | undefined =>
  wish.kind === 'lxc' ? containerRoot(wish) : machineRoot(wish);

function containerRoot({ key, before, after, unprivileged }: Wish): string | undefined {
  if (key === 'hookscript') return 'a hook script';
  if (/^dev\d+$/.test(key)) return 'a device that is passed through';
  if (/^(rootfs|mp\d+)$/.test(key) && after?.startsWith('/')) return 'a bind mount';
  if (key !== 'features') return undefined;
  if (!unprivileged) return 'a feature of a privileged container';
  return features(before) === features(after) ? undefined : 'a feature other than nesting';
}

/** The feature flags but nesting, which a token may set. */
const features = (text = ''): string =>
  text
    .split(',')
    .filter((part) => part !== '' && !part.startsWith('nesting='))
    .sort()
    .join(',');

function machineRoot({ key, before, after }: Wish): string | undefined {
  const any = (test: (value: string) => boolean) => [before, after].some((value) => value !== undefined && test(value));
  if (ofVm.test(key)) return `the option ${key}`;
  if (/^hostpci\d+$/.test(key) && any((value) => !/mapping=/.test(value) || /romfile=/.test(value)))
    return 'a raw PCI device';
  if (/^usb\d+$/.test(key) && any((value) => !/mapping=|^(host=)?spice\b/i.test(value))) return 'a raw USB device';
  if (/^serial\d+$/.test(key) && any((value) => value !== 'socket')) return 'a real serial port';
  const drive = /^(ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/.test(key);
  return drive && after !== undefined && /^(file=)?\/|import-from=\//.test(after)
    ? 'a path on the node as a disk'
    : undefined;
}
