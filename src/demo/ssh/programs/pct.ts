import type { Guest } from '../../world.ts';
import type { Process, Program } from '../proc.ts';
import type { Installation } from '../programs.ts';
import { runChild } from '../table.ts';
import { set, unlock } from './guest-config.ts';

/** `pct list`, `status`, `config`, `set`, `unlock` and `exec`, for the containers of the node it runs on. */
export const pct =
  (installation: () => Installation): Program =>
  (args, proc) => {
    const [verb = '', id = '', ...rest] = args;
    if (verb === 'list') return list(proc);
    if (!['status', 'config', 'exec', 'set', 'unlock'].includes(verb)) {
      proc.err(`ERROR: unknown command 'pct ${verb}'\n`);
      return 255;
    }
    if (!/^[1-9]\d{2,8}$/.test(id)) {
      proc.err(
        "400 Parameter verification failed.\nvmid: type check ('integer') failed\npct exec <vmid> [<extra-args>] [OPTIONS]\n",
      );
      return 255;
    }
    const { node } = proc.machine;
    const guest = proc.machine.world.guest(Number(id));
    if (guest?.kind !== 'lxc' || guest.node !== node.name) {
      proc.err(`Configuration file 'nodes/${node.name}/lxc/${id}.conf' does not exist\n`);
      return 2;
    }
    if (verb === 'exec') return exec(guest, rest, proc, installation());
    if (verb === 'set') return set(guest, rest, proc);
    if (verb === 'unlock') return unlock(guest);
    proc.out(verb === 'status' ? `status: ${guest.status}\n` : configOf(guest));
    return 0;
  };

function list({ machine, out }: Process): number {
  const row = (...[vmid, status, lock, name]: readonly string[]) =>
    `${vmid?.padEnd(10)} ${status?.padEnd(10)} ${lock?.padEnd(12)} ${name?.padEnd(20)}\n`;
  const own = machine.world.guests.filter(({ kind, node }) => kind === 'lxc' && node === machine.node.name);
  const rows = own.sort((a, b) => a.vmid - b.vmid);
  out(row('VMID', 'Status', 'Lock', 'Name'));
  out(rows.map((g) => row(String(g.vmid), g.status, g.lock ?? '', String(g.config.hostname))).join(''));
  return 0;
}

const configOf = ({ config }: Guest): string =>
  Object.entries(config)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}: ${key === 'description' ? encodeURIComponent(value) : value}\n`)
    .join('');

/** `exec VMID [--keep-env 0|1] -- COMMAND…`: an argument list, no shell (pve-container, PVE/CLI/pct.pm). */
function exec(
  guest: Guest,
  options: readonly string[],
  proc: Process,
  { interpreter, machines }: Installation,
): number | Promise<number> {
  const keep = options.findIndex((option) => /^--?keep-env$/.test(option));
  const clean = keep !== -1 && options[keep + 1] === '0';
  const argv = options.includes('--')
    ? options.slice(options.indexOf('--') + 1)
    : options.slice(keep === -1 ? 0 : keep + 2);
  if (argv.length === 0) {
    proc.err('missing command\n');
    return 255;
  }
  if (guest.status !== 'running') {
    proc.err(`container '${guest.vmid}' not running!\n`);
    return 255;
  }
  const env = { ...(clean ? {} : proc.env), ...inside };
  return runChild(proc, argv, { machine: machines.container(guest), env, cwd: '/' }, (child) =>
    interpreter.command(argv, child),
  );
}

const inside = {
  HOME: '/root',
  USER: 'root',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  container: 'lxc',
};
