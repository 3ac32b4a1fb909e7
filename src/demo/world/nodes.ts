import type { DemoNode, FirewallLine, JournalLine, Service } from '../world.ts';

const GiB = 1024 ** 3;

/** name, description, state, unit state: Proxmox VE's own list (recording c-services), as a node in use has it. */
const pveServices: readonly [string, string, Service['state'], Service['unitState']][] = [
  ['chrony', 'chrony, an NTP client/server', 'running', 'enabled'],
  ['corosync', 'Corosync Cluster Engine', 'running', 'enabled'],
  ['cron', 'Regular background program processing daemon', 'running', 'enabled'],
  ['ksmtuned', 'Kernel Samepage Merging (KSM) Tuning Daemon', 'running', 'enabled'],
  ['lxcfs', 'FUSE filesystem for LXC', 'running', 'enabled'],
  ['postfix', 'Postfix Mail Transport Agent', 'running', 'enabled'],
  ['proxmox-firewall', 'Proxmox nftables firewall', 'running', 'enabled'],
  ['pve-cluster', 'The Proxmox VE cluster filesystem', 'running', 'enabled'],
  ['pve-firewall', 'Proxmox VE firewall', 'running', 'enabled'],
  ['pve-ha-crm', 'PVE Cluster HA Resource Manager Daemon', 'running', 'enabled'],
  ['pve-ha-lrm', 'PVE Local HA Resource Manager Daemon', 'running', 'enabled'],
  ['pve-lxc-syscalld', 'Proxmox VE LXC Syscall Daemon', 'running', 'enabled'],
  ['pvedaemon', 'PVE API Daemon', 'running', 'enabled'],
  ['pvefw-logger', 'Proxmox VE firewall logger', 'running', 'enabled'],
  ['pveproxy', 'PVE API Proxy Server', 'running', 'enabled'],
  ['pvescheduler', 'Proxmox VE scheduler', 'running', 'enabled'],
  ['pvestatd', 'PVE Status Daemon', 'running', 'enabled'],
  ['qmeventd', 'PVE Qemu Event Daemon', 'running', 'enabled'],
  ['spiceproxy', 'PVE SPICE Proxy Server', 'running', 'enabled'],
  ['sshd', 'OpenBSD Secure Shell server', 'running', 'enabled'],
  ['syslog', 'syslog.service', 'dead', 'not-found'],
  ['systemd-journald', 'Journal Service', 'running', 'static'],
  ['systemd-timesyncd', 'systemd-timesyncd.service', 'dead', 'masked'],
];

/** A service in a given state, started `ago` milliseconds before `start`. */
export function service(name: string, description: string, startedAt: number, more: Partial<Service> = {}): Service {
  return { name, description, state: 'running', unitState: 'enabled', startedAt, pid: 600, pve: false, ...more };
}

function nodeServices(bootedAt: number): Service[] {
  return pveServices.map(([name, description, state, unitState], i) =>
    service(name, description, bootedAt + 9_000, { state, unitState, pid: 600 + i * 13, pve: true }),
  );
}

function bootJournal(bootedAt: number, name: string): JournalLine[] {
  const line = (seconds: number, unit: string, pid: number, text: string) => ({
    at: bootedAt + seconds * 1000,
    unit,
    pid,
    text,
  });
  return [
    line(0, 'kernel', 0, 'Linux version 6.17.2-1-pve (build@proxmox) (gcc (Debian 14.2.0-19) 14.2.0)'),
    line(1, 'systemd', 1, `Hostname set to <${name}>.`),
    line(8, 'pve-cluster', 691, '[status] notice: update cluster info (cluster name  homelab, version = 2)'),
    line(9, 'pvedaemon', 756, 'starting 3 worker(s)'),
    line(9, 'pveproxy', 782, 'starting 3 worker(s)'),
    line(10, 'pvestatd', 808, 'starting server'),
  ];
}

/** Packets from outside that were dropped, newest last. */
function dropped(start: number, vmid: number, destination: string): FirewallLine[] {
  const chain = vmid === 0 ? 'PVEFW-HOST-IN' : `tap${vmid}i0-IN`;
  return [90, 41, 7].map((minutes, i) => ({
    at: start - minutes * 60_000,
    vmid,
    text: `4 ${chain} TIME policy DROP: IN=vmbr0 SRC=198.51.100.${20 + i} DST=${destination} PROTO=TCP SPT=4${i}102 DPT=23`,
  }));
}

const kernel = '6.17.2-1-pve';

/** pve1 runs most of the guests and webzfs; pve2 runs gitlab. */
export function homelabNodes(start: number): DemoNode[] {
  const boot1 = start - 41 * 86_400_000;
  const boot2 = start - 12 * 86_400_000;
  const webzfs = service('webzfs', 'WebZFS - web interface for ZFS', start - 3 * 86_400_000, { pid: 2314 });
  const pve1: DemoNode = {
    name: 'pve1',
    id: 1,
    ip: '192.168.2.11',
    bootedAt: boot1,
    cpus: 16,
    cpuModel: 'AMD Ryzen 7 5825U with Radeon Graphics',
    memory: 64 * GiB,
    swap: 8 * GiB,
    rootfs: { total: 94 * GiB, used: 21 * GiB },
    load: 2.1,
    kernel,
    services: [...nodeServices(boot1), webzfs],
    journal: [
      ...bootJournal(boot1, 'pve1'),
      { at: webzfs.startedAt, unit: 'webzfs', pid: 2314, text: 'Listening on http://0.0.0.0:26619' },
      { at: webzfs.startedAt + 400, unit: 'webzfs', pid: 2314, text: 'pool rpool: ONLINE, pool tank: ONLINE' },
      { at: start - 7_200_000, unit: 'webzfs', pid: 2314, text: 'scrub of tank finished: 0 errors' },
    ],
    firewall: [...dropped(start, 0, '192.168.2.11'), ...dropped(start + 1000, 200, '192.168.2.80')],
  };
  const pve2: DemoNode = {
    name: 'pve2',
    id: 2,
    ip: '192.168.2.12',
    bootedAt: boot2,
    cpus: 8,
    cpuModel: 'Intel(R) Core(TM) i5-10210U CPU @ 1.60GHz',
    memory: 32 * GiB,
    swap: 8 * GiB,
    rootfs: { total: 68 * GiB, used: 12 * GiB },
    load: 1.4,
    kernel,
    services: nodeServices(boot2),
    journal: bootJournal(boot2, 'pve2'),
    firewall: [],
  };
  return [pve1, pve2];
}
