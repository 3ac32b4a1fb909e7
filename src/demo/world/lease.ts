import type { Config } from '../world.ts';

/** A MAC address of Proxmox's own prefix, the same for the same guest and card. */
export const macFor = (vmid: number, card = 0): string =>
  `BC:24:11:${[vmid >> 8, vmid, card]
    .map((part) => (part & 255).toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase()}`;

/** The address with prefix that a guest has when it runs: its own static one, or what DHCP leases to it. */
export function addressFor(config: Config, vmid: number, lease = `192.168.2.${100 + (vmid % 100)}/24`): string {
  const text = String(config.ipconfig0 ?? config.net0 ?? '');
  return /(?:^|,)ip=(\d+\.\d+\.\d+\.\d+\/\d+)/.exec(text)?.[1] ?? lease;
}
