import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { bridge, gateway, ip } from '../params.ts';
import { addressing } from './addressing.ts';
import { nicsOf, noNic } from './nics.ts';
import { type Parts, parseParts, printParts, withParts } from './property-string.ts';
import type { Settings } from './settings.ts';

/** Models by their usual names; the API knows more of them (qemu-server, format qemu-net). */
const models = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3'] as const;

/** What pve_nic_set takes besides guest and card. */
export const wishes = {
  bridge: bridge.optional(),
  model: z.enum(models).optional().describe('VMs; else kept or virtio.'),
  vlan: z.number().int().min(0).max(4094).optional().describe('Tag; 0 for none.'),
  firewall: z.boolean().optional().describe("Proxmox VE's firewall."),
  mac: z
    .string()
    .refine((text) => /^[0-9A-F][02468ACE](:[0-9A-F]{2}){5}$/i.test(text), 'must be a unicast MAC address')
    .optional()
    .describe('Else kept or made.'),
  ip: ip.optional().describe('Containers: dhcp or 192.168.2.50/24.'),
  gateway: gateway.optional().describe('Containers.'),
  link_down: z.boolean().optional().describe('Unplug the cable.'),
  rate: z.number().min(0).max(100_000).optional().describe('MB/s; 0 for no limit.'),
};

export type Wishes = z.infer<z.ZodObject<typeof wishes>>;

const refuse = (message: string, hint: string): Failure => new Failure('invalid-input', message, hint);

function refuseOtherKind(guest: Guest, { model, ip, gateway }: Wishes): void {
  if (guest.kind === 'lxc' && model !== undefined) {
    throw refuse(`${guest.label} is a container: model is for VMs.`, 'Leave it out.');
  }
  if (guest.kind === 'qemu' && (ip !== undefined || gateway !== undefined)) {
    throw refuse(
      `${guest.label} is a VM: its address is set inside it, or by cloud-init.`,
      'For cloud-init give ip to pve_guest_configure.',
    );
  }
}

/** The first key that no card has, nor waits to have. */
function freeKey(guest: Guest, settings: Settings): string {
  const key = Array.from({ length: 32 }, (_, i) => `net${i}`).find((one) => !settings.keys.has(one));
  if (key !== undefined) return key;
  throw new Failure(
    'conflict',
    `${guest.label} has 32 network cards, and there can be no more.`,
    'Change one of them.',
  );
}

/** A name that no other card of the container has. */
function freeName(settings: Settings): string {
  const names = [...nicsOf(settings).values()].map((parts) => parts.get('name'));
  let i = 0;
  while (names.includes(`eth${i}`)) i++;
  return `eth${i}`;
}

const bit = (value: boolean | undefined): string | null | undefined =>
  value === undefined ? undefined : value ? '1' : null;
const positive = (value: number | undefined): string | null | undefined =>
  value === undefined ? undefined : value === 0 ? null : String(value);

const isModel = (name: string): boolean =>
  /^(e1000(e|-8254[05]em|-82544gc)?|i82551|i82557b|i82559er|ne2k_(isa|pci)|pcnet|rtl8139|virtio|vmxnet3)$/.test(name);

/** `virtio=BC:24:…`: the model is the name of the part that holds the MAC; without one Proxmox VE makes it. */
function withModel(parts: Parts, { model, mac }: Wishes): Parts {
  const all = [...parts];
  const own = all.find(([name, value]) => isModel(name === '' ? value : name));
  const [was, address] = own === undefined ? [] : own[0] === '' ? [own[1]] : own;
  const name = model ?? was ?? 'virtio';
  const wanted = mac?.toUpperCase() ?? address;
  return new Map([wanted === undefined ? ['', name] : [name, wanted], ...all.filter((part) => part !== own)]);
}

/** Both addresses are kept but for the one that is given. */
function withAddress(parts: Parts, { ip, gateway }: Wishes): Parts {
  if (ip === undefined && gateway === undefined) return parts;
  if (ip === undefined)
    throw refuse('A gateway alone says too little.', 'Give ip with it, as an address with its prefix.');
  const cleared = withParts(parts, ip.includes(':') ? { gw6: null } : { gw: null });
  return withParts(cleared, Object.fromEntries(parseParts(addressing({ ip, gateway }))));
}

/** A card as it is to be. */
export interface Card {
  readonly key: string;
  readonly isNew: boolean;
  readonly bridge?: string;
  readonly value: string;
}

/** The card that is wanted: the one of that key with what is given changed, or a new one. */
export function cardOf(guest: Guest, settings: Settings, nic: string | undefined, wish: Wishes): Card {
  refuseOtherKind(guest, wish);
  const key = nic ?? freeKey(guest, settings);
  const before = nicsOf(settings).get(key);
  if (before === undefined && wish.bridge === undefined) {
    if (nic !== undefined) throw noNic(guest, settings, nic);
    throw refuse(
      'A new network card needs a bridge.',
      'Give bridge, such as vmbr0; or nic to change one that is there.',
    );
  }
  const start: Parts = before ?? new Map(guest.kind === 'lxc' ? [['name', freeName(settings)]] : []);
  const { bridge, vlan, firewall, link_down, rate, mac } = wish;
  const common = {
    bridge,
    tag: positive(vlan),
    firewall: bit(firewall),
    link_down: bit(link_down),
    rate: positive(rate),
  };
  const parts =
    guest.kind === 'lxc'
      ? withAddress(withParts(start, { ...common, hwaddr: mac?.toUpperCase() }), wish)
      : withParts(withModel(start, wish), common);
  return { key, isNew: before === undefined, bridge: parts.get('bridge'), value: printParts(parts) };
}
