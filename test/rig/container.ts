import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asRoot, runAsRoot } from './users.ts';

/** `running` has bash, as a container of Debian has; `without bash` runs too, and has busybox only, as one of Alpine. */
export type ContainerState = 'running' | 'without bash' | 'stopped';

/**
 * What keeps a container apart: process ids, mounts, host name and root folder of its own; where the kernel forbids
 * that, a root folder, which has no /proc; or nothing, which makes the container a second name of the node.
 */
export type Apartness = 'namespaces' | 'chroot' | 'plain';

export interface Containers {
  /** The root folder of a container, as the node sees it. */
  rootOf(vmid: number): string;
  stop(): Promise<void>;
}

/** The user of every container besides root; uid 1000, home /home/psm-ct, no bash even where there is one. */
export const CONTAINER_USER = 'psm-ct';

/** A root folder of busybox's programs; su and bash come with the libraries they need. */
const MAKE_ROOT = `set -eu
root=$1 name=$2 bash=$3
mkdir -p "$root" && cd "$root"
mkdir -p usr/bin usr/sbin usr/local/bin usr/lib etc/pam.d dev proc sys run root home/${CONTAINER_USER} tmp var/tmp var/log
chmod 755 . && chmod 700 root && chmod 1777 tmp var/tmp && chown 1000:1000 home/${CONTAINER_USER}
ln -s usr/bin bin
ln -s usr/sbin sbin
take() {
  for file in "$1" $(ldd "$1" 2>/dev/null | grep -o '/[^ )]*'); do
    [ -e ".$file" ] || { mkdir -p ".\${file%/*}"; cp -L "$file" ".$file"; }
  done
}
put() {
  take "$(command -v "$1")"
  [ -e "usr/bin/$1" ] || cp -L "$(command -v "$1")" "usr/bin/$1"
}
put busybox
chroot . /usr/bin/busybox --list | sed 's|.*|[ -e usr/bin/& ] \\|\\| ln -s busybox usr/bin/&|' | busybox sh
[ "$bash" != bash ] || put bash
rm -f usr/bin/su
put su
for file in /lib*/security/pam_* /lib*/*/security/pam_* /usr/lib*/security/pam_* /lib*/libnss_files.* /lib*/*/libnss_files.*; do
  case $file in *pam_rootok.so | *pam_permit.so | *libnss_files.so.2) [ ! -e "$file" ] || take "$file" ;; esac
done
printf '%s\\n' 'auth sufficient pam_rootok.so' 'account required pam_permit.so' 'session required pam_permit.so' >etc/pam.d/su
echo "$name" >etc/hostname
echo "127.0.0.1 localhost $name" >etc/hosts
printf '%s\\n' 'root:x:0:0:root:/root:/bin/sh' '${CONTAINER_USER}:x:1000:1000::/home/${CONTAINER_USER}:/bin/sh' >etc/passwd
printf '%s\\n' 'root:x:0:' '${CONTAINER_USER}:x:1000:' >etc/group
[ -e dev/null ] || for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- $node
  mknod -m 666 "dev/$1" c "$2" "$3" 2>/dev/null || : >"dev/$1"
done
ln -s /proc/self/fd dev/fd
for n in '0 stdin' '1 stdout' '2 stderr'; do ln -s "/proc/self/fd/\${n% *}" "dev/\${n#* }"; done
`;

/**
 * The container's first process. Outside the namespace /proc still tells it its pid on the node. It ends, and takes all
 * along, when the other side of its stdin is gone.
 */
const INIT = `root=$0
read -r pid rest </proc/self/stat
mount -t proc proc "$root/proc" || exit 1
for node in null zero full random urandom tty; do mount --bind "/dev/$node" "$root/dev/$node" || exit 1; done
hostname "$(cat "$root/etc/hostname")"
echo "$pid"
exec chroot "$root" /bin/sh -c 'exec 3<&0; read -r end <&3 & wait' >/dev/null
`;

const UNSHARE = ['unshare', '--pid', '--mount', '--uts', '--ipc', '--fork', '--kill-child=KILL'];

let known: Apartness | undefined;

/** How far this kernel lets a container of the rig be kept apart. */
export function apartness(): Apartness {
  const works = (...argv: string[]) => {
    try {
      return runAsRoot(argv) !== undefined;
    } catch {
      return false;
    }
  };
  known ??= works(...UNSHARE, 'sh', '-c', 'mount -t proc proc /proc && hostname psm')
    ? 'namespaces'
    : works('chroot', '/', 'true') && works('sh', '-c', 'n=$(mktemp -u) && mknod "$n" c 1 3 && : >"$n" && rm "$n"')
      ? 'chroot'
      : 'plain';
  return known;
}

/** Puts the pretend `pct` and its containers into the folder `bin`. */
export async function startContainers(
  bin: string,
  states: Readonly<Record<number, ContainerState>>,
): Promise<Containers> {
  mkdirSync(bin);
  const folderOf = (vmid: number | string) => join(bin, 'containers', String(vmid));
  const ends: (() => Promise<void>)[] = [];
  if (apartness() === 'plain') runAsRoot(['sh', '-c', 'id -u "$0" >/dev/null 2>&1 || useradd -m "$0"', CONTAINER_USER]);
  for (const [vmid, state] of Object.entries(states)) {
    const folder = folderOf(vmid);
    mkdirSync(folder, { recursive: true });
    if (apartness() !== 'plain') {
      const bash = state === 'without bash' ? '' : 'bash';
      runAsRoot(['sh', '-s', join(folder, 'root'), `ct${vmid}`, bash], MAKE_ROOT);
    }
    if (state !== 'stopped' && apartness() === 'namespaces') ends.push(await startContainer(folder));
    writeFileSync(join(folder, 'status'), state === 'stopped' ? 'stopped' : 'running');
  }
  copyFileSync(join(import.meta.dirname, 'pct'), join(bin, 'pct'));
  chmodSync(join(bin, 'pct'), 0o755);
  return {
    rootOf: (vmid) => (apartness() === 'plain' ? '/' : join(folderOf(vmid), 'root')),
    async stop() {
      for (const end of ends) await end();
    },
  };
}

/** Gives what ends the container with everything in it. */
async function startContainer(folder: string): Promise<() => Promise<void>> {
  const argv = asRoot([...UNSHARE, 'sh', '-c', INIT, join(folder, 'root')]);
  const holder = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const over = once(holder, 'exit');
  const [pid] = await Promise.race([once(holder.stdout, 'data'), over]);
  if (holder.exitCode !== null) throw new Error(`The container in ${folder} did not start.`);
  writeFileSync(join(folder, 'init'), String(pid).trim());
  return async () => {
    holder.stdin.end();
    await over;
  };
}
