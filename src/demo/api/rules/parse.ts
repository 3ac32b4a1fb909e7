import { agentMethods } from './agent.ts';
import { archiveMethods } from './archives.ts';
import { datacentreMethods } from './datacentre.ts';
import { diskMethods } from './disks.ts';
import { patterns, propertyStrings } from './formats.ts';
import { groupMethods } from './groups.ts';
import { lxcMethods, lxcOptions } from './lxc.ts';
import { migrateMethods } from './migrate.ts';
import { monitoringMethods } from './monitoring.ts';
import { nodePowerMethods } from './node-power.ts';
import { nodesMethods } from './nodes.ts';
import { provisionMethods } from './provision.ts';
import { qemuMethods, qemuOptions } from './qemu.ts';

/** What one parameter, or one part of a property string, may be. The fields are those of PVE's own schema. */
export interface Rule {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  readonly optional: boolean;
  /** Bounds of a number, or of the length of a string. */
  readonly min?: number;
  readonly max?: number;
  readonly format?: string | Readonly<Record<string, Rule>>;
  /** As PVE writes it; see `perlPattern`. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly requires?: string;
  readonly alias?: string;
  readonly keyAlias?: string;
  readonly defaultKey: boolean;
}

/** `all` may call it; `root` only root@pam itself; `special` is checked by its handler; else any of `any` on `path`. */
export type Permission = 'all' | 'root' | 'special' | { readonly any: readonly string[]; readonly path: string };

export interface Method {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Handled by pvedaemon, which shows in the Connection headers. */
  readonly protected: boolean;
  readonly tokens: boolean;
  readonly permission: Permission;
  readonly params: Readonly<Record<string, Rule>>;
}

const services = `chrony|corosync|cron|ksmtuned|lxcfs|postfix|proxmox-firewall|pve-cluster|pve-firewall|pve-ha-crm|pve-ha-lrm|\
pve-lxc-syscalld|pvedaemon|pvefw-logger|pveproxy|pvescheduler|pvestatd|qmeventd|spiceproxy|sshd|syslog|systemd-journald|\
systemd-timesyncd`;

const groups: Readonly<Record<string, string>> = {
  guest: 'node<pve-node> vmid:int(100..999999999)<pve-vmid>',
  service: `node<pve-node> service{${services}}`,
  'lxc-options': lxcOptions,
  'qemu-options': qemuOptions,
};

/**
 * One parameter: `*` default key, name, `?` optional, `:int` `:num` `:bool` `:list` or `:-` (no type; string without),
 * `(min..max)`, `<format>` or `<#property string>`, `/pattern/`, `{a|b}` enum, `^requires`, `=alias`, `@keyAlias`.
 */
const notation = new RegExp(
  [
    String.raw`^(\*)?([^?:(<{/^=@]+)(\?)?(?::(int|num|bool|list|-))?`,
    String.raw`(?:\((-?\d*)\.\.(-?\d*)\))?(?:<(#?[^>]+)>)?(?:/([^/]+)/)?(?:\{([^}]+)\})?`,
    String.raw`(?:\^([^=@]+))?(?:=([^@]+))?(?:@(.+))?$`,
  ].join(''),
);

const types = { int: 'integer', num: 'number', bool: 'boolean', list: 'array' } as const;

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

function parseRule(word: string, formats: Formats): [string, Rule] {
  const found = notation.exec(word);
  if (!found) throw new Error(`not a parameter rule: ${word}`);
  const [, star, name = '', optional, type, min, max, format, pattern, values, requires, alias, keyAlias] = found;
  const rule: Rule = {
    ...(type === '-' ? {} : { type: type === undefined ? 'string' : types[type as keyof typeof types] }),
    optional: optional !== undefined,
    ...(min ? { min: Number(min) } : {}),
    ...(max ? { max: Number(max) } : {}),
    ...(format === undefined ? {} : { format: format.startsWith('#') ? formats(format.slice(1)) : format }),
    ...(pattern === undefined ? {} : { pattern: known(patterns, pattern) }),
    ...(values === undefined ? {} : { enum: values.split('|') }),
    ...(requires === undefined ? {} : { requires }),
    ...(alias === undefined ? {} : { alias }),
    ...(keyAlias === undefined ? {} : { keyAlias }),
    defaultKey: star !== undefined,
  };
  return [name, rule];
}

type Formats = (name: string) => Readonly<Record<string, Rule>>;

function known(table: Readonly<Record<string, string>>, name: string): string {
  const value = table[name];
  if (value === undefined) throw new Error(`the rules refer to ${name}, which is not there`);
  return value;
}

/** `+group` words replaced by the group's own words. */
const expand = (text: string, table: Readonly<Record<string, string>>): string[] =>
  words(text).flatMap((word) => (word.startsWith('+') ? expand(known(table, word.slice(1)), table) : [word]));

/** A head line at the margin and indented lines that belong to it. */
function sections(text: string): [string, string][] {
  const heads = text.split(/\n(?=\S)/).map((part) => part.trim());
  return heads
    .filter((part) => part !== '')
    .map((part) => [part.split('\n')[0] ?? '', part.split('\n').slice(1).join(' ')]);
}

function parsePermission(text: string): Permission {
  if (text === 'all' || text === 'root' || text === 'special') return text;
  const [privileges = '', path = ''] = text.split('@');
  return { any: privileges.split('|'), path };
}

function parseMethod(head: string, body: string, formats: Formats): Method {
  const [method, path = '', ...rest] = words(head);
  return {
    method: method as Method['method'],
    path,
    protected: rest.includes('protected'),
    tokens: !rest.includes('notoken'),
    permission: parsePermission(rest.at(-1) ?? ''),
    params: Object.fromEntries(expand(body, groups).map((word) => parseRule(word, formats))),
  };
}

/** Every served method, from the tables beside this file. */
export function servedMethods(): Method[] {
  const strings = Object.fromEntries(sections(propertyStrings));
  const formats: Formats = (name) =>
    Object.fromEntries(expand(known(strings, name), strings).map((word) => parseRule(word, formats)));
  return [
    datacentreMethods,
    nodesMethods,
    nodePowerMethods,
    lxcMethods,
    qemuMethods,
    agentMethods,
    archiveMethods,
    diskMethods,
    groupMethods,
    migrateMethods,
    monitoringMethods,
    provisionMethods,
  ].flatMap((table) => sections(table).map(([head, body]) => parseMethod(head, body, formats)));
}

/** A Perl pattern of the schema as a JavaScript one, anchored as PVE anchors it (PVE::JSONSchema::check_prop). */
export function perlPattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern.replaceAll('(?^:', '(?:').replaceAll('{,', '{0,')})$`);
}
