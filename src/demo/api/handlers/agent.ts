import type { Guest } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError, ProxyError } from '../errors.ts';
import { type Finished, GuestShells } from '../guest-shell.ts';

interface Process {
  finished?: Finished;
}

/** The guest, when its agent can be asked; else what Proxmox VE says instead (recordings j-agent-*, j-noagent-*). */
function withAgent(call: Call): Guest {
  const guest = call.guest('qemu');
  if (!/^(1|enabled=1)/.test(String(guest.config.agent))) throw new ApiError(500, 'No QEMU guest agent configured\n');
  if (guest.status !== 'running') throw new ApiError(500, `VM ${guest.vmid} is not running\n`);
  if (!guest.agent || guest.paused) throw new ApiError(500, 'QEMU guest agent is not running\n');
  return guest;
}

/** The same of a guest whose file systems are not frozen: while they are, its agent has switched off all but a few commands. */
function awake(call: Call): Guest {
  const guest = withAgent(call);
  if (guest.frozen)
    throw new ApiError(500, 'Agent error: Command guest-exec has been disabled: the agent is in frozen state\n');
  return guest;
}

function interfaces(call: Call): unknown {
  const guest = awake(call);
  const [ip = '', prefix = ''] = guest.address.split('/');
  const none = { 'rx-bytes': 0, 'rx-dropped': 0, 'rx-errs': 0, 'rx-packets': 0 };
  const statistics = { ...none, 'tx-bytes': 0, 'tx-dropped': 0, 'tx-errs': 0, 'tx-packets': 0 };
  const address = (text: string, length: number, type: 'ipv4' | 'ipv6') => ({
    'ip-address': text,
    'ip-address-type': type,
    prefix: length,
  });
  return {
    result: [
      {
        name: 'lo',
        'hardware-address': '00:00:00:00:00:00',
        'ip-addresses': [address('127.0.0.1', 8, 'ipv4'), address('::1', 128, 'ipv6')],
        statistics,
      },
      {
        name: 'ens18',
        'hardware-address': guest.mac.toLowerCase(),
        'ip-addresses': [address(ip, Number(prefix), 'ipv4')],
        statistics: { ...statistics, 'rx-bytes': 1_900_000, 'rx-packets': 12_000 },
      },
    ],
  };
}

function osInfo(call: Call): unknown {
  const { os } = awake(call);
  const name = os.replace(/ [\d.].*$/, '');
  const version = os.slice(name.length + 1);
  return {
    result: {
      id: name.toLowerCase().split(' ')[0],
      'kernel-release': '6.12.48',
      'kernel-version': '#1 SMP PREEMPT_DYNAMIC',
      machine: 'x86_64',
      name,
      'pretty-name': os,
      version,
      'version-id': version,
    },
  };
}

/** What a frozen agent still does (QEMU, qga/main.c, ga_freeze_allowlist). */
const whileFrozen = ['ping', 'info', 'sync', 'sync-delimited', 'fsfreeze-status', 'fsfreeze-thaw'];
const commands = [
  ...whileFrozen,
  ...['exec', 'exec-status', 'file-open', 'file-read', 'file-write', 'file-close', 'fsfreeze-freeze', 'fstrim'],
  ...['get-fsinfo', 'get-host-name', 'get-osinfo', 'get-time', 'get-users', 'network-get-interfaces', 'shutdown'],
];

/** The shape of recording agent-info. */
function info(call: Call): unknown {
  const { frozen } = withAgent(call);
  const supported = commands.map((name) => ({
    enabled: !frozen || whileFrozen.includes(name),
    name: `guest-${name}`,
    'success-response': name !== 'shutdown',
  }));
  return { result: { supported_commands: supported, version: '10.0.13' } };
}

/** As QEMU's guest agent lists them (qga/qapi-schema.json, GuestFilesystemInfo). */
function fileSystems(call: Call): unknown {
  const guest = awake(call);
  const size = Number(/size=(\d+)G/.exec(String(guest.config.scsi0))?.[1] ?? 8) * 1024 ** 3;
  const on = (name: string, mountpoint: string, type: string, total: number, share: number) => ({
    disk: [{ bus: 0, 'bus-type': 'scsi', dev: `/dev/${name}`, target: 0, unit: 0 }],
    mountpoint,
    name,
    'total-bytes': total,
    type,
    'used-bytes': Math.floor(total * share),
  });
  return {
    result: [on('sda1', '/', 'ext4', size - 1024 ** 3, 0.42), on('sda15', '/boot/efi', 'vfat', 124 * 1024 ** 2, 0.09)],
  };
}

/** The agent's methods; processes and the guests' file systems live as long as the API does. */
export function agentHandlers(): Handlers {
  let shells: Promise<GuestShells> | undefined;
  const processes = new Map<string, Process>();

  const exec = async (call: Call): Promise<unknown> => {
    const guest = awake(call);
    const argv = call.list('command');
    const input = call.text('input-data');
    if (/[^\0-\xff]/.test(input)) {
      throw new ApiError(
        500,
        'Wide character in subroutine entry at /usr/share/perl5/PVE/QemuServer/Agent.pm line 135.\n',
      );
    }
    if (argv.some((word) => /[^\0-\xff]/.test(word))) {
      throw new ApiError(500, `VM ${guest.vmid} qga command 'guest-exec' failed - got timeout\n`);
    }
    shells ??= GuestShells.of(call.world);
    const inside = await shells;
    // The agent's message has typographic quotes, and pvedaemon dies of them (recording agent-exec-missing).
    if (!inside.knows(argv[0] ?? '', guest)) throw new ProxyError(596, 'Broken pipe');
    const { pid, end } = await inside.start(argv, input, guest);
    const started: Process = {};
    processes.set(`${guest.vmid}/${pid}`, started);
    void end.then((finished) => {
      started.finished = finished;
    });
    return { pid };
  };

  /** The end of a process is told once; then it is not known any more (recording agent-exec-status-again). */
  const execStatus = (call: Call): unknown => {
    const key = `${withAgent(call).vmid}/${call.int('pid')}`;
    const known = processes.get(key);
    if (known === undefined) throw new ApiError(500, 'Agent error: PID ld does not exist\n');
    if (known.finished === undefined) return { exited: 0 };
    processes.delete(key);
    const { stdout, stderr, exitcode, signal } = known.finished;
    return {
      exited: 1,
      ...(signal === undefined ? { exitcode } : { signal }),
      ...(stdout === '' ? {} : { 'out-data': stdout, 'out-truncated': 0 }),
      ...(stderr === '' ? {} : { 'err-data': stderr, 'err-truncated': 0 }),
    };
  };

  return {
    'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': interfaces,
    'GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo': osInfo,
    'GET /nodes/{node}/qemu/{vmid}/agent/info': info,
    'GET /nodes/{node}/qemu/{vmid}/agent/get-fsinfo': fileSystems,
    'GET /nodes/{node}/qemu/{vmid}/agent/get-host-name': (call) => ({
      result: { 'host-name': String(awake(call).config.name) },
    }),
    'POST /nodes/{node}/qemu/{vmid}/agent/ping': (call) => {
      withAgent(call);
      return { result: {} };
    },
    'POST /nodes/{node}/qemu/{vmid}/agent/exec': exec,
    'GET /nodes/{node}/qemu/{vmid}/agent/exec-status': execStatus,
  };
}
