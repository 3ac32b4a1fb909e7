import { type Config, type Guest, Refusal } from '../../world.ts';
import { ApiError, badParameters } from '../errors.ts';
import { splitList } from '../formats.ts';
import type { Params } from '../verify.ts';

const perm = (why: string) => new ApiError(403, `Permission check failed (${why})\n`);

/**
 * What only root@pam itself may set or delete, which no token is (recordings r-*; pve-container, PVE/LXC.pm,
 * check_ct_modify_config_perm; qemu-server, PVE/API2/Qemu.pm).
 */
export function checkRootOnly(
  params: Params,
  removed: readonly string[],
  guest: Guest | undefined,
  kind: Guest['kind'],
): void {
  if (params.skiplock !== undefined) throw badParameters({ skiplock: 'Only root may use this option.' });
  const keys = [...Object.keys(params), ...removed];
  const values = (key: string) => [params[key], guest?.config[key]].filter((value) => value !== undefined).map(String);
  if (kind === 'lxc') checkContainer(params, removed, guest?.config ?? {}, keys);
  else for (const key of keys) checkMachine(key, values(key));
}

const general =
  /^(args|hookscript|affinity|ivshmem|parallel\d+|amd-sev|intel-tdx|hugepages|keephugepages|arch|vmgenid)$/;

function checkMachine(key: string, values: readonly string[]): void {
  if (general.test(key)) throw new Refusal(`only root can set '${key}' config`);
  if (/^hostpci\d+$/.test(key) && values.some((value) => !value.includes('mapping='))) {
    throw new Refusal(`only root can set '${key}' config for non-mapped devices`);
  }
  if (/^serial\d+$/.test(key) && values.some((value) => value !== 'socket')) {
    throw new Refusal(`only root can modify '${key}' config for real devices`);
  }
  if (/^usb\d+$/.test(key) && values.some((value) => !/mapping=|^(host=)?spice/i.test(value))) {
    throw new Refusal(`only root can set '${key}' config for real devices`);
  }
  if (/^(ide|sata|scsi|virtio)\d+$/.test(key) && values[0]?.startsWith('/')) {
    throw new Refusal('Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.');
  }
}

function checkContainer(params: Params, removed: readonly string[], config: Config, keys: readonly string[]): void {
  if (keys.includes('hookscript')) throw perm('changing the hookscript is only allowed for root@pam');
  if (keys.some((key) => /^dev\d+$/.test(key)))
    throw perm('configuring device passthrough is only allowed for root@pam');
  for (const [key, value] of Object.entries(params)) {
    if (!/^(mp\d+|rootfs)$/.test(key) || !String(value).startsWith('/')) continue;
    const type = String(value).startsWith('/dev/') ? 'device' : 'bind';
    throw perm(`mount point type ${type} is only allowed for root@pam`);
  }
  if (params.features === undefined && !removed.includes('features')) return;
  if (config.unprivileged !== 1)
    throw perm('changing feature flags for privileged container is only allowed for root@pam');
  const flags = (text: unknown) => splitList(String(text ?? '')).filter((part) => !part.startsWith('nesting='));
  if (flags(params.features).toSorted().join() === flags(config.features).toSorted().join()) return;
  throw perm('changing feature flags (except nesting) is only allowed for root@pam');
}
