import type { Facts } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { block } from './hcl.ts';
import { parseParts } from './property-string.ts';

/** What the two kinds of guest have in common. */
export interface Common {
  readonly guest: Guest;
  readonly settings: Facts;
  /** A setting as text; undefined when it is not set. */
  text(key: string): string | undefined;
  number(key: string): number | undefined;
  /** The parts of a setting such as `net0`, the unnamed one under ''. */
  parts(key: string): ReadonlyMap<string, string>;
  /** Keys of that form, by their number. */
  keys(form: RegExp): string[];
}

/** A guest's settings in the forms in which they are asked for. */
export function commonOf(guest: Guest, settings: Facts): Common {
  const text = (key: string): string | undefined => {
    const value = settings[key];
    return value === undefined ? undefined : String(value);
  };
  return {
    guest,
    settings,
    text,
    number: (key) => numberOf(text(key)),
    parts: (key) => parseParts(text(key) ?? ''),
    keys: (form) =>
      Object.keys(settings)
        .filter((key) => form.test(key))
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
  };
}

/** Its name, unless it has none and is called `VM 100` for it. */
export const nameOf = ({ name }: Guest): string | undefined => (/\s/.test(name) ? undefined : name);

/** A number that is written as one. */
export const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;

/** `1` and `0` as true and false. */
export const yesNo = (text: string | undefined): boolean | undefined =>
  text === '1' ? true : text === '0' ? false : undefined;

/** The order of starting and stopping. */
export function startup({ parts }: Common) {
  const order = parts('startup');
  return block(
    ['order', order.get('order') ?? order.get('')],
    ['up_delay', order.get('up')],
    ['down_delay', order.get('down')],
  );
}

/** The address of one card, as `ip` and `gw` of Proxmox VE say it. */
export const ipConfig = (parts: ReadonlyMap<string, string>) =>
  block(
    ['ipv4', block(['address', parts.get('ip')], ['gateway', parts.get('gw')])],
    ['ipv6', block(['address', parts.get('ip6')], ['gateway', parts.get('gw6')])],
  );

/** The name servers that a guest is given. */
export const dns = ({ text }: Common) => {
  const servers = text('nameserver')
    ?.split(/[\s,;]+/)
    .filter((one) => one !== '');
  return block(['domain', text('searchdomain')], ['servers', servers]);
};

/** `local-lvm` of `local-lvm:vm-400-disk-0`. */
export const datastoreOf = (volume: string | undefined): string | undefined => /^([^:/]+):/.exec(volume ?? '')?.[1];
