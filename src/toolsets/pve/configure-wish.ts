import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { cores, gateway, hostName, ip, memoryMib, onBoot, sshKeys, tags, user } from '../params.ts';
import { addressing } from './addressing.ts';
import { isDiskKey } from './disks.ts';
import { parseParts, printParts, withParts } from './property-string.ts';
import { type Change, effective, type Settings } from './settings.ts';

/** Checked here and not in the schema that a model is shown, as is the order to boot in. */
const key = z.string().refine((text) => /^[a-z][a-z0-9_-]{1,39}$/.test(text), 'must be one key, such as cpulimit');
const device = z.string().refine((text) => /^[a-z]+\d+$/.test(text), 'must be a device, such as scsi0');
/** What pve_guest_configure takes besides the guest, each member as Proxmox VE's own key or a name for one. */
export const wishes = {
  name: hostName.optional().describe('Name or hostname.'),
  cores: cores.optional(),
  memory_mib: memoryMib.optional(),
  swap_mib: z.number().int().min(0).max(16_777_216).optional().describe('Containers: swap.'),
  onboot: onBoot.optional(),
  protection: z.boolean().optional().describe('No deleting of it or its disks.'),
  tags: tags.optional().describe('All its tags.'),
  description: z.string().max(8192).optional().describe('Notes.'),
  boot: z.array(device).min(1).optional().describe('VMs: order (scsi0, net0).'),
  ci_user: user.optional().describe('Cloud-init: user.'),
  ssh_keys: sshKeys.optional().describe('Cloud-init: public keys.'),
  ip: ip.optional().describe('Cloud-init: dhcp or 192.168.2.50/24.'),
  gateway: gateway.optional().describe('Cloud-init.'),
  set: z.record(key, z.string().min(1).max(8192)).optional().describe('Other keys, by their names in Proxmox VE.'),
  delete: z.array(key).optional().describe('Keys to set back to default.'),
};

export type Wishes = z.infer<z.ZodObject<typeof wishes>>;

const refuse = (message: string, hint: string): Failure => new Failure('invalid-input', message, hint);

const forVms = ['boot', 'ci_user', 'ssh_keys', 'ip', 'gateway'] as const;

function refuseOtherKind(guest: Guest, wish: Wishes): void {
  const odd = forVms.find((name) => wish[name] !== undefined);
  if (guest.kind === 'lxc' && odd !== undefined) {
    throw refuse(
      `${guest.label} is a container, and ${odd} is for VMs.`,
      'Addresses of a container are set by pve_nic_set; its users and keys inside it, by pct_exec.',
    );
  }
  if (guest.kind === 'qemu' && wish.swap_mib !== undefined) {
    throw refuse(`${guest.label} is a VM, and swap_mib is for containers.`, 'Its swap is made inside the VM.');
  }
}

const withVolumes = /^((rootfs|mp|scsi|virtio|sata|ide|efidisk|tpmstate|unused|dev)\d*|args)$/;

/** VMIDs in values that may name volumes, as ids or as paths on the node: whose disk it is shows in its name. */
export const ownersIn = ({ set = {} }: Pick<Wishes, 'set'>): number[] =>
  Object.entries(set)
    .filter(([key]) => withVolumes.test(key))
    .flatMap(([, value]) => {
      // `local-lvm:400` asks for 400 GiB.
      const named = value.replace(/^[\w.-]+:\d+(\.\d+)?(?=,|$)/, '');
      return [...named.matchAll(/(?<![A-Za-z0-9])0*([1-9]\d{2,8})(?![A-Za-z0-9])/g)].map(([, vmid]) => Number(vmid));
    });

/** Keys of the API's call that are no settings, and settings that other tools are for. */
const elsewhere: Readonly<Record<string, string>> = {
  lock: 'A left-over lock is removed by unlock: true.',
  template: 'pve_guest_template makes a template of a guest.',
  cipassword: 'A password here would be kept in logs: use ssh_keys, or set it in the web interface (Cloud-Init).',
};
const ofTheCall = /^(node|vmid|digest|delete|revert|force|skiplock|background_delay|import-working-storage)$/;

function refuseKeys(guest: Guest, { set = {}, delete: gone = [] }: Wishes): void {
  for (const key of [...Object.keys(set), ...gone]) {
    const instead = elsewhere[key];
    if (ofTheCall.test(key)) throw refuse(`${key} is not a setting of a guest.`, 'Give configuration keys only.');
    if (instead !== undefined) throw refuse(`${key} is not set by this tool.`, instead);
  }
  const disk = gone.find((key) => isDiskKey(guest.kind, key));
  if (disk === undefined) return;
  throw refuse(
    `${disk} is a disk of ${guest.label}: deleting the key could lose its data.`,
    `Use pve_disk_remove with disk ${disk}: it detaches it, or asks before it destroys it.`,
  );
}

/** `ipconfig0` with its IPv4 or its IPv6 part replaced. */
function ipconfig({ ip, gateway }: Wishes, settings: Settings): string | undefined {
  if (ip === undefined && gateway === undefined) return undefined;
  if (ip === undefined)
    throw refuse('A gateway alone says too little.', 'Give ip with it, as an address with its prefix.');
  const gone = ip.includes(':') ? { gw6: null } : { gw: null };
  const kept = withParts(parseParts(effective(settings, 'ipconfig0') ?? ''), gone);
  return printParts(withParts(kept, Object.fromEntries(parseParts(addressing({ ip, gateway })))));
}

/** An empty text or list means that the key goes. */
const orGone = (text: string | undefined): string | null | undefined => (text === '' ? null : text);
const flag = (value: boolean | undefined): string | undefined => (value === undefined ? undefined : value ? '1' : '0');

function named(guest: Guest, wish: Wishes, settings: Settings): Record<string, string | null | undefined> {
  const { name, cores, memory_mib, swap_mib, onboot, protection, tags, description, boot, ci_user, ssh_keys } = wish;
  return {
    [guest.kind === 'lxc' ? 'hostname' : 'name']: name,
    cores: cores?.toString(),
    memory: memory_mib?.toString(),
    swap: swap_mib?.toString(),
    onboot: flag(onboot),
    protection: flag(protection),
    tags: orGone(tags?.join(';')),
    description: orGone(description),
    boot: boot && `order=${boot.join(';')}`,
    ciuser: ci_user,
    // Percent-encoded once here and once more by the form: the API wants it so (qemu-server, format urlencoded).
    sshkeys: ssh_keys && encodeURIComponent(ssh_keys.join('\n')),
    ipconfig0: ipconfig(wish, settings),
  };
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((key, i) => names.indexOf(key) !== i);
  if (twice !== undefined) throw refuse(`${twice} is given more than once in this call.`, 'Say once what it is to be.');
}

/**
 * The change that is wanted, without what is so already. `invalid-input` for what the guest's kind does not have, for
 * what another tool is for, and when nothing is asked for.
 */
export function changeOf(guest: Guest, wish: Wishes, settings: Settings): Change {
  refuseOtherKind(guest, wish);
  refuseKeys(guest, wish);
  const byName = Object.entries(named(guest, wish, settings)).filter(([, value]) => value !== undefined);
  const given = [
    ...byName,
    ...Object.entries(wish.set ?? {}),
    ...(wish.delete ?? []).map((key) => [key, null] as const),
  ];
  if (given.length === 0) {
    throw refuse('The call says nothing to change.', 'Give at least one setting; pve_guest_get shows what there is.');
  }
  refuseTwice(given.map(([key]) => key));
  const differs = given.filter(
    ([key, value]) => effective(settings, key)?.trimEnd() !== (value?.trimEnd() ?? undefined),
  );
  return {
    set: Object.fromEntries(
      differs.flatMap(([key, value]) => (value === null || value === undefined ? [] : [[key, value]])),
    ),
    remove: differs.filter(([, value]) => value === null).map(([key]) => key),
  };
}
