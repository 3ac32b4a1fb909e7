import { posix } from 'node:path';
import { programOf, readings, shells } from './readings.ts';
import { commandsIn, withoutRedirections } from './words.ts';

/*
 * A guard-rail against accidents, not a sandbox: it knows a few commands that nobody means to run by the way, as they
 * are usually written. A script that hides one is not found out. What an account may do is bounded by the account.
 */

interface Danger {
  readonly sentence: string;
  readonly program: RegExp;
  /** Given the whole command, the program first, and the directory it runs in. */
  readonly when?: (words: readonly string[], cwd: string) => boolean;
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
  (words: readonly string[]): boolean =>
    words.some((word) => wanted.includes(word));

const recursive = (words: readonly string[]): boolean => words.some((word) => /^(-\w*[rR]\w*|--recursive)$/.test(word));

function isSystemFolder(word: string, cwd: string): boolean {
  const written = word.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, '/root');
  return systemFolders.test(posix.resolve(cwd, written).replace(/\/\.?\*+$/, '') || '/') && !written.startsWith('-');
}

const onSystemFolder = (words: readonly string[], cwd: string): boolean =>
  words.some((word) => isSystemFolder(word, cwd));
const isDevice = (word: string | undefined): boolean => blockDevice.test(word ?? '');

const dangers: readonly Danger[] = [
  {
    sentence: 'It deletes a system folder with all below it.',
    program: /^rm$/,
    when: (words, cwd) => has('--no-preserve-root')(words) || (recursive(words) && onSystemFolder(words, cwd)),
  },
  {
    sentence: 'It deletes what it finds below a system folder.',
    program: /^find$/,
    when: (words, cwd) => has('-delete')(words) && isSystemFolder(words[1] ?? '', cwd),
  },
  {
    sentence: 'It changes owner or mode of everything below a system folder.',
    program: /^(chmod|chown|chgrp)$/,
    when: (words, cwd) => recursive(words) && onSystemFolder(words, cwd),
  },
  { sentence: 'It makes a new file system over what is there.', program: /^(mkfs(\.\w+)?|mke2fs)$/ },
  {
    sentence: 'It wipes a disk.',
    program: /^wipefs$/,
    when: (words) => words.some((word) => /^(-\w*[ao]\w*|--all|--offset.*)$/.test(word)),
  },
  {
    sentence: 'It wipes a disk or its partition table.',
    program: /^(blkdiscard|sgdisk|shred)$/,
    when: (words) => words.some(isDevice) && !has('-p', '--print')(words),
  },
  {
    sentence: 'It writes onto a block device.',
    program: /^dd$/,
    when: (words) => words.some((word) => word.startsWith('of=') && isDevice(word.slice(3))),
  },
  { sentence: 'It writes onto a block device.', program: /^(tee|cp)$/, when: (words) => isDevice(words.at(-1)) },
  {
    sentence: 'It writes onto a block device.',
    program: /./,
    when: (words) => words.some((word, i) => word === '>' && isDevice(words[i + 1])),
  },
  {
    sentence: 'It destroys a ZFS pool or dataset.',
    program: /^(zpool|zfs)$/,
    when: (words) => has('destroy', 'labelclear')(words.slice(1, 2)),
  },
  { sentence: 'It removes an LVM volume.', program: /^((lv|vg|pv)remove)$/ },
  { sentence: 'It removes an LVM volume.', program: /^lvm$/, when: has('lvremove', 'vgremove', 'pvremove') },
  { sentence: 'It deletes a guest with its disks.', program: /^(pct|qm)$/, when: (words) => words[1] === 'destroy' },
  { sentence: 'It deletes something of Proxmox VE.', program: /^pvesh$/, when: (words) => words[1] === 'delete' },
  {
    sentence: 'It takes away an account, a role or a token, which may be the one in use.',
    program: /^pveum$/,
    when: has('remove', 'delete', 'del', 'deltoken', 'userdel'),
  },
  {
    sentence: 'It turns the host off or restarts it.',
    program: /^(shutdown|reboot|poweroff|halt)$/,
    when: (words) => !has('-c', '--help')(words),
    hostOnly: true,
  },
  {
    sentence: 'It turns the host off or restarts it.',
    program: /^(init|telinit)$/,
    when: (words) => /^[016]$/.test(words[1] ?? ''),
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
    when: (words) => has('stop', 'disable', 'mask', 'kill')(words) && words.some((word) => ourRoads.test(word)),
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
    when: (words) => words[1] === 'flush',
    hostOnly: true,
  },
];

/** `:(){ :|:& };:` and the same under another name. */
const forkBomb = /([\w:.]{1,64})\s{0,9}\(\)\s{0,9}\{[^}]{0,200}?\1\s{0,9}\|\s{0,9}\1\s{0,9}&/;

export interface Alarming {
  readonly script: string;
  readonly stdin?: string;
  readonly cwd?: string;
}

/** With its redirections, one of which may be the danger, and without those, which may stand before the program. */
const bothWays = (words: readonly string[]): readonly (readonly string[])[] =>
  words.includes('>') || words.includes('<') ? [words, withoutRedirections(words)] : [words];

/**
 * Why a human should be asked before this runs, in a sentence, or undefined. What is on standard input counts when the
 * script starts a shell that would read it.
 */
export function alarmFor({ script, stdin, cwd = '/nowhere' }: Alarming, inContainer: boolean): string | undefined {
  if (forkBomb.test(script)) return 'It is a fork bomb.';
  let here = cwd;
  let readsCommands = false;
  for (const words of commandsIn(script).flatMap((one) => bothWays(one).flatMap((way) => readings(way)))) {
    const program = programOf(words);
    if (program === 'cd' && words[1]) here = posix.resolve(here, words[1]);
    readsCommands ||= shells.test(program);
    const danger = dangers.find(
      (one) => one.program.test(program) && !(inContainer && one.hostOnly) && (one.when?.(words, here) ?? true),
    );
    if (danger) return danger.sentence;
  }
  return stdin !== undefined && readsCommands ? alarmFor({ script: stdin, cwd: here }, inContainer) : undefined;
}
