import { quote } from '../../ssh/quote.ts';
import { Reading } from '../../ssh/reading.ts';

/**
 * Prints parts, each begun by a line of `$1` (a word that nobody can foresee) and its name. `$2` processes are named of
 * the most greedy, by CPU and by memory; none and no network when it is 0. A part is missing where the host has no such
 * thing. What may never answer (a dead disk, a dead server of files) is last, or held to 2 s by `timeout`.
 */
const SCRIPT = String.raw`mark=$1 top=$2
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
part() { printf '\n%s %s\n' "$mark" "$1"; }
timeout 2 true && limited=1 || limited=
short() { if [ -n "$limited" ]; then timeout 2 "$@"; else env "$@"; fi; }

part clock; date +%s
part load; cat /proc/loadavg
part memory; cat /proc/meminfo
part arc; cat /proc/spl/kstat/zfs/arcstats
part pressure; grep -sH . /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory
part oom; grep -s '^oom_kill ' /sys/fs/cgroup/memory.events || grep -s '^oom_kill ' /proc/vmstat
part sensors
for chip in /sys/class/hwmon/hwmon*; do
  grep -sH . "$chip"/name "$chip"/temp*_input "$chip"/temp*_label "$chip"/temp*_crit
done
for zone in /sys/class/thermal/thermal_zone*; do
  grep -sH . "$zone"/type "$zone"/temp "$zone"/trip_point_*_type "$zone"/trip_point_*_temp
done

disks() {
  want=$1 seen=
  shift
  while read -r device folder type rest; do
    case $type in
      nfs* | cifs | smb* | ceph | 9p | afs | fuse.sshfs | fuse.glusterfs | fuse.ceph*) kind=far ;;
      ext[234] | xfs | btrfs | zfs | f2fs | jfs | bcachefs | reiserfs | vfat | exfat | ntfs* | fuseblk) kind=near ;;
      tmpfs | overlay | rootfs | ubifs) case $folder in / | /tmp | /run | /overlay) kind=near ;; *) continue ;; esac ;;
      *) continue ;;
    esac
    [ "$kind" = "$want" ] || continue
    case "$type $seen " in tmpfs\ *) ;; *" $device "*) continue ;; esac
    seen="$seen $device"
    case $folder in *\\*) folder=$(printf '%b' "$(printf '%s' "$folder" | sed 's/\\/\\0/g')") ;; esac
    set -- "$@" "$folder"
  done </proc/mounts
  [ $# -gt 0 ] || return 0
  if [ "$want" = near ]; then
    part disks; short df -Pk "$@" || [ $? -lt 124 ] || part disksilent
    part inodes; short df -Pi "$@"
    return 0
  fi
  [ -n "$limited" ] || return 0
  part far
  for folder do
    { short df -Pk "$folder" || [ $? -lt 124 ] || printf 'silent %s\n' "$folder"; } &
  done
  wait
}
disks near

if command -v systemctl >/dev/null; then
  units=$(short systemctl list-units --state=failed --no-legend --plain --no-pager --full) &&
    { part units; printf '%s\n' "$units"; }
fi

sample() {
  part sample
  cat /proc/uptime
  grep '^cpu' /proc/stat
  [ "$top" = 0 ] || cat /proc/net/dev
}
# One line for each process: its id, the time it has had, its memory in pages, its name. A name may hold a newline: the
# id is taken from the file's, and what comes before the numbers is cut at the last parenthesis.
processes() {
  grep -sH . /proc/[0-9]*/stat | awk '{
    if (!match($0, /^.*\) /)) next
    count = split(substr($0, RLENGTH + 1), field, " ")
    if (count < 22) next
    name = substr($0, 1, RLENGTH - 2)
    sub(/^[^:]*:/, "", name)
    sub(/^[0-9]+ \(/, "", name)
    split($0, path, "/")
    printf "%s %.0f %.0f %s\n", path[3], field[12] + field[13], field[22], name
  }'
}
greedy() {
  awk -v mark="$mark" -v top="$top" '
    $0 == mark { after = 1; next }
    !after { had[$1] = $2; next }
    {
      id = $1
      value["cpu", id] = $2 - (id in had ? had[id] : 0)
      value["memory", id] = $3
      sub(/^[0-9]+ [0-9]+ [0-9]+ /, "")
      name[id] = $0
    }
    END {
      split("cpu memory", list, " ")
      for (l = 1; l <= 2; l++) for (i = 0; i < top; i++) {
        most = ""
        for (id in name) {
          if ((list[l], id) in told) continue
          if (most == "" || value[list[l], id] > value[list[l], most]) most = id
        }
        if (most == "" || value[list[l], most] <= 0) break
        told[list[l], most] = 1
        print list[l], most, value["cpu", most], value["memory", most], name[most]
      }
    }'
}
sample
[ "$top" = 0 ] || before=$(processes)
sleep 0.7 || sleep 1
sample
if [ "$top" != 0 ]; then
  named=$({ printf '%s\n' "$before"; echo "$mark"; processes; } | greedy)
  part pagesize; getconf PAGESIZE
  part processes; printf '%s\n' "$named"
  set -- $(printf '%s\n' "$named" | awk '{ print $2 }' | sort -u)
  part owners
  for id do stat -c '%n %U' "/proc/$id"; done
  part places
  for id do grep -sH '^0::' "/proc/$id/cgroup"; done
fi

if command -v zpool >/dev/null; then
  pools=$(short zpool list -Hp -o name,size,allocated,fragmentation,health)
  case $? in
    0) part pools; printf '%s\n' "$pools"; part poolstatus; short zpool status -x ;;
    124 | 137 | 143) part poolsilent ;;
  esac
fi
disks far
part end
`;

/** What a host or guest with a Linux kernel tells of its load and health; see the script for its two arguments. */
export const metricsReading = new Reading(`exec 2>/dev/null\nexec sh -c ${quote(SCRIPT)} sh "$@"`);
