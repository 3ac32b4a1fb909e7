import { posix } from 'node:path';
import { programOf, readings } from './readings.ts';
import { commandsIn } from './words.ts';

/*
 * A guard-rail against accidents, not a sandbox: it knows a few commands that nobody means to run by the way, as they
 * are usually written. A script that hides one is not found out. What an account may do is bounded by the account.
 */

interface Danger {
  readonly sentence: string;
  readonly program: RegExp;
  readonly when?: (args: readonly string[], cwd: string) => boolean;
  /** A danger to a host, not to a container. */
  readonly hostOnly?: true;
}

const systemFolders =
  /^\/((bin|boot|dev|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|usr|var)|etc\/(pve|ssh|network|systemd)|usr\/(bin|lib|sbin|share)|var\/lib|var\/lib\/(vz|lxc|pve-cluster|dpkg|docker))?$/;
const blockDevice =
  /^\/dev\/(([shv]d|xvd)[a-z]|nvme\d|mmcblk\d|md\d|dm-\d|[nr]bd\d|(?!shm\/|pts\/|fd\/|tcp\/|udp\/|mqueue\/|hugepages\/)[\w.-]+\/)/;
const ourRoads = /^(ssh|sshd|pveproxy|pvedaemon|pve-cluster|corosync|networking)(\.service|\.socket)?$/;

const has =
  (...wanted: string[]) =>
  (args: readonly string[]): boolean =>
    args.some((arg) => wanted.includes(arg));

const recursive = (args: readonly string[]): boolean => args.some((arg) => /^(-\w*[rR]\w*|--recursive)$/.test(arg));

function isSystemFolder(word: string, cwd: string): boolean {
  const written = word.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, '/root');
  return systemFolders.test(posix.resolve(cwd, written).replace(/\/\.?\*+$/, '') || '/') && !written.startsWith('-');
}

const onSystemFolder = (args: readonly string[], cwd: string): boolean => args.some((arg) => isSystemFolder(arg, cwd));
const ontoDevice = (args: readonly string[]): boolean => args.some((arg) => blockDevice.test(arg.replace(/^of=/, '')));
const after = (mark: string, args: readonly string[]): string[] => args.filter((_, i) => args[i - 1] === mark);

const dangers: readonly Danger[] = [
  {
    sentence: 'It deletes a system folder with all below it.',
    program: /^rm$/,
    when: (args, cwd) => has('--no-preserve-root')(args) || (recursive(args) && onSystemFolder(args, cwd)),
  },
  {
    sentence: 'It deletes what it finds below a system folder.',
    program: /^find$/,
    when: (args, cwd) => has('-delete')(args) && isSystemFolder(args[0] ?? '', cwd),
  },
  {
    sentence: 'It changes owner or mode of everything below a system folder.',
    program: /^(chmod|chown|chgrp)$/,
    when: (args, cwd) => recursive(args) && onSystemFolder(args, cwd),
  },
  { sentence: 'It makes a new file system over what is there.', program: /^(mkfs(\.\w+)?|mke2fs)$/ },
  {
    sentence: 'It wipes a disk or its partition table.',
    program: /^(wipefs|blkdiscard|sgdisk|shred)$/,
    when: (args) => ontoDevice(args) && !has('-p', '--print', '-n', '--no-act')(args),
  },
  {
    sentence: 'It writes onto a block device.',
    program: /^(dd|tee|cp)$/,
    when: (args) =>
      ontoDevice(args.filter((arg, i) => arg.startsWith('of=') || (!arg.includes('=') && i === args.length - 1))),
  },
  { sentence: 'It writes onto a block device.', program: /./, when: (args) => ontoDevice(after('>', args)) },
  {
    sentence: 'It destroys a ZFS pool or dataset.',
    program: /^(zpool|zfs)$/,
    when: (args) => has('destroy', 'labelclear')(args.slice(0, 1)),
  },
  { sentence: 'It removes an LVM volume.', program: /^((lv|vg|pv)remove)$/ },
  { sentence: 'It removes an LVM volume.', program: /^lvm$/, when: has('lvremove', 'vgremove', 'pvremove') },
  { sentence: 'It deletes a guest with its disks.', program: /^(pct|qm)$/, when: (args) => args[0] === 'destroy' },
  { sentence: 'It deletes something of Proxmox VE.', program: /^pvesh$/, when: (args) => args[0] === 'delete' },
  {
    sentence: 'It takes away an account or token, which may be the one in use.',
    program: /^pveum$/,
    when: has('remove', 'delete', 'del', 'deltoken', 'userdel'),
  },
  {
    sentence: 'It turns the host off or restarts it.',
    program: /^(shutdown|reboot|poweroff|halt)$/,
    when: (args) => !has('-c', '--help')(args),
    hostOnly: true,
  },
  {
    sentence: 'It turns the host off or restarts it.',
    program: /^(init|telinit)$/,
    when: (args) => /^[016]$/.test(args[0] ?? ''),
    hostOnly: true,
  },
  {
    sentence: 'It turns the host off or restarts it.',
    program: /^systemctl$/,
    when: has('reboot', 'poweroff', 'halt', 'kexec', 'rescue', 'emergency'),
    hostOnly: true,
  },
  {
    sentence: 'It stops a service that this server or the cluster needs.',
    program: /^(systemctl|service)$/,
    when: (args) => has('stop', 'disable', 'mask', 'kill')(args) && args.some((arg) => ourRoads.test(arg)),
    hostOnly: true,
  },
  {
    sentence: 'It drops firewall rules at once.',
    program: /^(iptables|ip6tables)$/,
    when: has('-F', '--flush'),
    hostOnly: true,
  },
  {
    sentence: 'It drops firewall rules at once.',
    program: /^nft$/,
    when: (args) => args[0] === 'flush',
    hostOnly: true,
  },
];

/** `:(){ :|:& };:` and the same under another name. */
const forkBomb = /([\w:.]{1,64})\s{0,9}\(\)\s{0,9}\{[^}]{0,200}?\1\s{0,9}\|\s{0,9}\1\s{0,9}&/;

const shells = /^(ba|da|z|a|k)?sh$/;

export interface Alarming {
  readonly script: string;
  readonly stdin?: string;
  readonly cwd?: string;
}

/**
 * Why a human should be asked before this runs, in a sentence, or undefined. What is on standard input counts when the
 * script starts a shell that would read it.
 */
export function alarmFor({ script, stdin, cwd = '/nowhere' }: Alarming, inContainer: boolean): string | undefined {
  if (forkBomb.test(script)) return 'It is a fork bomb.';
  let here = cwd;
  let readsCommands = false;
  for (const words of commandsIn(script).flatMap(readings)) {
    const [program, args] = [programOf(words), words.slice(1)];
    if (program === 'cd' && args[0]) here = posix.resolve(here, args[0]);
    readsCommands ||= shells.test(program);
    const danger = dangers.find(
      (one) => one.program.test(program) && !(inContainer && one.hostOnly) && (one.when?.(args, here) ?? true),
    );
    if (danger) return danger.sentence;
  }
  return stdin !== undefined && readsCommands ? alarmFor({ script: stdin, cwd: here }, inContainer) : undefined;
}
