import type { Program } from '../proc.ts';
import { set, unlock } from './guest-config.ts';

/** `qm list`, `set` and `unlock`. */
export const qm: Program = ([verb, id, ...rest], proc) => {
  const { machine, out, err } = proc;
  if (verb === 'set' || verb === 'unlock') {
    const guest = machine.world.guest(Number(id));
    if (guest?.kind === 'qemu' && guest.node === machine.node.name) {
      return verb === 'set' ? set(guest, rest, proc) : unlock(guest);
    }
    err(`Configuration file 'nodes/${machine.node.name}/qemu-server/${id}.conf' does not exist\n`);
    return 2;
  }
  if (verb !== 'list') {
    err(`ERROR: unknown command 'qm ${verb ?? ''}'\n`);
    return 255;
  }
  const own = machine.world.guests.filter(({ kind, node }) => kind === 'qemu' && node === machine.node.name);
  if (own.length === 0) return 0;
  const row = (cells: readonly [string, string, string, string, string, string]) =>
    `${cells[0].padStart(10)} ${cells[1].padEnd(20)} ${cells[2].padEnd(10)} ${cells[3].padEnd(10)} ${cells[4].padStart(12)} ${cells[5].padEnd(10)}\n`;
  out(row(['VMID', 'NAME', 'STATUS', 'MEM(MB)', 'BOOTDISK(GB)', 'PID']));
  for (const { vmid, config, status, pid } of own.sort((a, b) => a.vmid - b.vmid)) {
    const disk = /size=(\d+)G/.exec(String(config.scsi0))?.[1] ?? '0';
    const shown = status === 'running' ? pid : 0;
    out(row([String(vmid), String(config.name), status, String(config.memory), `${disk}.00`, String(shown)]));
  }
  return 0;
};

const version = { release: '9.2', repoid: '1ff4f27ff2d55b44', version: '9.2.11' };

/** `pvesh get /version [--output-format json]`. */
export const pvesh: Program = ([verb, path, ...options], { out, err }) => {
  if (verb !== 'get' || path !== '/version') {
    err(`No '${verb ?? ''}' handler defined for '${path ?? ''}'\n`);
    return 255;
  }
  if (options.some((option) => option.startsWith('json'))) out(`${JSON.stringify(version)}\n`);
  else {
    const rows = Object.entries(version).map(([key, value]) => `│ ${key.padEnd(7)} │ ${value.padEnd(16)} │\n`);
    const rule = (left: string, middle: string, right: string) =>
      `${left}${'─'.repeat(9)}${middle}${'─'.repeat(18)}${right}\n`;
    out(`${rule('┌', '┬', '┐')}│ key     │ value            │\n${rule('╞', '╪', '╡').replaceAll('─', '═')}`);
    out(`${rows.join(rule('├', '┼', '┤'))}${rule('└', '┴', '┘')}`);
  }
  return 0;
};

/** `pveversion`. */
export const pveversion: Program = (_args, { machine, out }) => {
  out(`pve-manager/${version.version}/${version.repoid} (running kernel: ${machine.node.kernel})\n`);
  return 0;
};
