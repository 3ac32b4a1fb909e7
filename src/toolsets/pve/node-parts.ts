import { z } from 'zod';
import { type Facts, remote } from '../../present/answer.ts';
import { flag, num, text } from '../../pve/fields.ts';
import { type PvePath, path } from '../../pve/path.ts';
import { bytes, count, countBy, duration, percent, tally, usage } from '../format.ts';
import type { ToolContext } from '../tool.ts';

type Reader = Pick<ToolContext, 'pve' | 'signal'>;
/** A part of what a node tells of itself. */
export type ReadPart = (context: Reader, node: string) => Promise<Facts>;

const ROWS_SHOWN = 100;

const rowsOf = <T>(shape: z.ZodType<T>, { pve, signal }: Reader, at: PvePath): Promise<T[]> =>
  pve.get(at, z.array(shape), {}, { signal });

const space = z.object({ used: num, total: num }).optional().catch(undefined);
const statusShape = z.object({
  pveversion: text,
  kversion: text,
  'current-kernel': z.object({ release: text }).optional().catch(undefined),
  'boot-info': z.object({ mode: text, secureboot: flag }).optional().catch(undefined),
  uptime: num,
  cpu: num,
  wait: num,
  cpuinfo: z.object({ model: text, cpus: num, sockets: num }).optional().catch(undefined),
  loadavg: z.array(z.coerce.string()).optional().catch(undefined),
  memory: space,
  swap: space,
  rootfs: space,
});

/** Version, kernel, load and what is used (recording k-remote). */
export const readStatus: ReadPart = async ({ pve, signal }, node) => {
  const status = await pve.get(path`/nodes/${node}/status`, statusShape, {}, { signal });
  const { cpuinfo, memory, swap, rootfs, 'boot-info': boot } = status;
  return {
    version: status.pveversion?.split('/')[1],
    kernel: status['current-kernel']?.release ?? status.kversion?.split(' ')[1],
    boot: boot?.mode && `${boot.mode}${boot.secureboot ? ', secure boot' : ''}`,
    uptime: status.uptime === undefined ? undefined : duration(status.uptime),
    cpu: status.cpu === undefined ? undefined : `${percent(status.cpu)} of ${cpuinfo?.cpus ?? 'its'} cores`,
    cpu_model: cpuinfo?.model && `${cpuinfo.model}${(cpuinfo.sockets ?? 1) > 1 ? `, ${cpuinfo.sockets} sockets` : ''}`,
    io_wait: status.wait === undefined ? undefined : percent(status.wait),
    load_1_5_15_min: status.loadavg?.join(', '),
    memory: usage(memory?.used, memory?.total),
    swap: usage(swap?.used, swap?.total),
    root_disk: usage(rootfs?.used, rootfs?.total),
  };
};

const serviceShape = z.object({ service: z.string(), state: text, 'unit-state': text, 'active-state': text });

/** The services that Proxmox VE knows, by their state; what is enabled and does not run comes first (c-services). */
export const readServices: ReadPart = async (context, node) => {
  const rows = await rowsOf(serviceShape, context, path`/nodes/${node}/services`);
  const installed = rows.filter((row) => row['unit-state'] !== 'not-found');
  const names = (state: (row: (typeof rows)[number]) => boolean) =>
    installed.filter(state).map(({ service }) => service);
  const failed = names((row) => row.state === 'failed' || row['active-state'] === 'failed');
  const idle = names(
    (row) => row['unit-state'] === 'enabled' && row.state !== 'running' && !failed.includes(row.service),
  );
  const others = names(
    (row) => row['unit-state'] !== 'enabled' && row.state !== 'running' && !failed.includes(row.service),
  );
  return {
    failed: failed.length > 0 ? failed : undefined,
    enabled_but_not_running: idle.length > 0 ? idle : undefined,
    running: names((row) => row.state === 'running').join(' '),
    off: others.length > 0 ? others.join(' ') : undefined,
  };
};

const packageShape = z.object({
  Package: z.string(),
  Version: text,
  OldVersion: text,
  Origin: text,
  CurrentState: text,
});

/** Packages that have a newer version, as of the node's last `apt update`. */
export const readUpdates: ReadPart = async (context, node) => {
  const rows = await rowsOf(packageShape, context, path`/nodes/${node}/apt/update`);
  const line = (row: (typeof rows)[number]) => `${row.Package} ${row.OldVersion ?? '(new)'} -> ${row.Version ?? '?'}`;
  return {
    count: rows.length,
    by_origin: rows.length > 0 ? tally(countBy(rows, ({ Origin = 'unknown' }) => Origin)) : undefined,
    packages: rows.length > 0 ? rows.slice(0, ROWS_SHOWN).map(line) : undefined,
    not_shown: Math.max(0, rows.length - ROWS_SHOWN) || undefined,
  };
};

/** The packages that `pveversion -v` lists, with their installed version, and the newer one where there is one (c-apt). */
export const readVersions: ReadPart = async (context, node) => {
  const rows = await rowsOf(packageShape, context, path`/nodes/${node}/apt/versions`);
  const installed = rows.filter(({ CurrentState }) => CurrentState === 'Installed');
  return Object.fromEntries(
    installed.map(({ Package, OldVersion, Version = '' }) => {
      const newer = OldVersion !== undefined && Version !== '' && Version !== OldVersion;
      return [Package, newer ? `${OldVersion}, newer: ${Version}` : (OldVersion ?? Version)];
    }),
  );
};

const known = (value: string | undefined): string | undefined =>
  value === 'unknown' || value === '' ? undefined : value;
const diskShape = z.object({
  devpath: z.string(),
  model: text,
  serial: text,
  size: num,
  type: text,
  used: text,
  health: text,
  wearout: z.union([z.number(), z.string()]).optional().catch(undefined),
});

/** Physical disks, with what is on them and their health by SMART; `life_left` of those that wear (c-disks). */
export const readDisks: ReadPart = async (context, node) => {
  const rows = await rowsOf(diskShape, context, path`/nodes/${node}/disks/list`);
  const disks = rows.map(({ devpath, model, serial, size, type, used, health, wearout }) => ({
    disk: devpath,
    size: size === undefined ? undefined : bytes(size),
    type: known(type),
    model: known(model),
    serial: known(serial),
    used_for: used || 'nothing',
    health: known(health?.toLowerCase()),
    life_left: /^\d+(\.\d+)?$/.test(String(wearout)) ? `${wearout} %` : undefined,
  }));
  return { disks, worth_a_look: warned(disks) };
};

function warned(disks: readonly { readonly disk: string; readonly health?: string; readonly life_left?: string }[]) {
  const lines = disks.flatMap(({ disk, health, life_left }) => [
    ...(health && health !== 'passed' && health !== 'ok' ? [`${disk} says ${health}.`] : []),
    ...(life_left && Number.parseFloat(life_left) < 10 ? [`${disk} has ${life_left} of its life left.`] : []),
  ]);
  return lines.length > 0 ? lines : undefined;
}

const interfaceShape = z.object({
  iface: z.string(),
  type: text,
  active: flag,
  autostart: flag,
  method: text,
  cidr: text,
  cidr6: text,
  gateway: text,
  gateway6: text,
  bridge_ports: text,
  bridge_vlan_aware: flag,
  slaves: text,
  bond_mode: text,
  'vlan-id': num,
  'vlan-raw-device': text,
  mtu: num,
  comments: text,
});

/** Interfaces by name, with addresses, gateways and what a bridge or bond is made of (c-netget). */
export const readNetwork: ReadPart = async (context, node) => {
  const rows = await rowsOf(interfaceShape, context, path`/nodes/${node}/network`);
  const sorted = [...rows].sort((a, b) => a.iface.localeCompare(b.iface));
  const addresses = (...of: (string | undefined)[]) => {
    const some = of.filter((one) => one !== undefined && one !== '');
    return some.length > 0 ? some.join(', ') : undefined;
  };
  return {
    interfaces: sorted.slice(0, ROWS_SHOWN).map((row) => ({
      interface: row.iface,
      type: row.type,
      active: row.active ?? false,
      address: addresses(row.cidr, row.cidr6) ?? (row.method === 'dhcp' ? 'dhcp' : undefined),
      gateway: addresses(row.gateway, row.gateway6),
      ports: addresses(row.bridge_ports, row.slaves),
      bond_mode: row.bond_mode,
      vlan_aware: row.bridge_vlan_aware || undefined,
      vlan: row['vlan-id'] === undefined ? undefined : `${row['vlan-id']} on ${row['vlan-raw-device'] ?? row.iface}`,
      mtu: row.mtu,
      comment: row.comments ? remote(row.comments.trimEnd()) : undefined,
    })),
    not_shown: sorted.length > ROWS_SHOWN ? count(sorted.length - ROWS_SHOWN, 'interface') : undefined,
  };
};
