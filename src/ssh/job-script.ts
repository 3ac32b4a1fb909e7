import { quote } from './quote.ts';
import { Reading } from './reading.ts';

/*
 * What is run on a host for jobs that outlive the connection. Each text is given to sh whatever the login shell is, and
 * what it tells begins with a word of its own, because start-up files of a shell may print anything before it.
 *
 * A job is a folder: `pid` (process id, start time in ticks, boot id), `status` (exit code, when), `out`, `err`, `script`
 * and `in` while it runs, `cookie` (what its processes have in their environment), `started`, `label`, `killed`.
 */

/**
 * Where the folders are, and what is known of one. `begun`: ticks since boot, field 22 of proc_pid_stat(5). One whose first
 * process was killed runs for as long as anything of it does.
 */
const COMMON = `case \${XDG_STATE_HOME:-} in /*) base=$XDG_STATE_HOME ;; *) base=$HOME/.local/state ;; esac
base=$base/proxmox-ssh-mcp/jobs
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
alive() {
  read -r pid begun booted <"$1/pid" || return 1
  [ "$booted" = "$boot" ] || return 1
  [ -r /proc/self/stat ] || { kill -0 "$pid" 2>/dev/null; return; }
  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
  set -- \${stat##*) }
  case $1 in Z | X) return 1 ;; esac
  shift 19
  [ "$1" = "$begun" ]
}
ended() {
  [ -s "$1/status" ] || return 1
  read -r code at <"$1/status"
  state=ended
}
left() {
  read -r cookie <"$1/cookie" && cat /proc/[0-9]*/environ 2>/dev/null | tr '\\000' '\\n' | grep -qxF "PSM_RUN=$cookie"
}
look() {
  state= code=- at=-
  if ended "$1"; then :
  elif [ ! -s "$1/pid" ]; then state=unborn
  elif alive "$1"; then state=running
  elif ended "$1"; then :
  elif [ "$booted" != "$boot" ]; then state=restarted
  elif left "$1"; then state=running
  else state=gone
  fi 2>/dev/null
  [ "$state" = running ] || [ ! -e "$1/killed" ] || state=killed
}
size() { stat -c %s "$1" 2>/dev/null || wc -c <"$1" 2>/dev/null || echo 0; }
`;

/** Sees the payload through: $1 its folder, $2 its shell, $3 its umask. A signal to all of the job leaves this one last. */
const WRAPPER = `dir=$1 shell=$2 mask=$3
trap : HUP INT TERM
stat=$(cat "/proc/$$/stat" 2>/dev/null)
set -- \${stat##*) }
[ $# -lt 20 ] || shift 19
printf '%s %s %s\\n' "$$" "\${1:-0}" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)" >"$dir/pid.new" || exit 1
mv "$dir/pid.new" "$dir/pid" || exit 1
echo "$$"
exec >/dev/null 2>&1
umask "$mask"
"$shell" "$dir/script" <"$dir/in" >"$dir/out" 2>"$dir/err"
code=$?
rm -f "$dir/script" "$dir/in"
printf '%s %s\\n' "$code" "$(date +%s)" 1<>"$dir/status.new" && mv "$dir/status.new" "$dir/status"
`;

/**
 * Reads script and input, makes the folder, starts the payload and tells its pid; or tells why not, and has started
 * nothing. $1 name, $2 bytes of script and input together, $3 of the script, $4 `login` for the login shell.
 * What ended a week ago goes.
 */
const START = `${COMMON}name=$1 all=$2 first=$3 kind=$4
mask=$(umask)
umask 077
dir=$base/$name
tell() { echo "psm-$name $*"; }
no() {
  tell no "$(echo "$*" | tr '\\n' ' ')"
  exit 0
}
undo() {
  rm -rf -- "$dir"
  no "$@"
}
why=$(mkdir -p -- "$base" 2>&1) || no "$why"
find "$base" -name started -mtime +6 2>/dev/null | while IFS= read -r old; do
  look "\${old%/started}"
  [ "$state" = running ] || rm -rf -- "\${old%/started}"
done
why=$(mkdir -- "$dir" 2>&1) || no "$why"
why=$({
  cat >"$dir/input" && head -c "$first" "$dir/input" >"$dir/script" && tail -c "+$((first + 1))" "$dir/input" >"$dir/in" &&
    : >"$dir/out" && : >"$dir/err" && date +%s >"$dir/started" && head -c 200 "$dir/script" >"$dir/label" &&
    echo "$PSM_RUN" >"$dir/cookie" && printf '%-60s\\n' '' >"$dir/status.new"
} 2>&1) || undo "$why"
[ "$(wc -c <"$dir/input")" -eq "$all" ] || undo 'the script did not arrive whole'
rm -f "$dir/input"
if [ "$kind" = login ]; then shell=\${SHELL:-/bin/sh}; else shell=$(command -v bash || command -v sh); fi
own=$(command -v setsid || command -v nohup)
pid=$($own sh -c ${quote(WRAPPER)} psm-job "$dir" "$shell" "$mask" </dev/null 2>/dev/null &)
[ -n "$pid" ] || undo 'its first process did not begin'
tell ok "$pid"
`;

/** $1 name, $2 and $3 offsets into out and err (from the end when negative), $4 bytes of each at most, $5 seconds to wait. */
const READ = `${COMMON}name=$1 out=$2 err=$3 most=$4 wait=$5
dir=$base/$name
[ -d "$dir" ] || { echo "psm-$name missing"; exit 0; }
now=$(date +%s)
last=$((now + wait))
while :; do
  look "$dir"
  outs=$(size "$dir/out") errs=$(size "$dir/err")
  [ "$out" -ge 0 ] || { out=$((outs + out)); [ "$out" -ge 0 ] || out=0; }
  [ "$err" -ge 0 ] || { err=$((errs + err)); [ "$err" -ge 0 ] || err=0; }
  [ "$state" = running ] && [ "$outs" -le "$out" ] && [ "$errs" -le "$err" ] && [ "$(date +%s)" -lt "$last" ] || break
  sleep 0.2 2>/dev/null || sleep 1
done
if command -v base64 >/dev/null; then how=base64; else how=hex; fi
part() {
  if [ $how = base64 ]; then tail -c "+$(($2 + 1))" "$dir/$1" 2>/dev/null | head -c "$most" | base64
  else tail -c "+$(($2 + 1))" "$dir/$1" 2>/dev/null | head -c "$most" | od -An -v -tx1
  fi
}
read -r started <"$dir/started" 2>/dev/null
echo "psm-$name $state $code $at \${started:--} $outs $errs $out $err $how"
part out "$out"
echo "psm-$name err"
part err "$err"
echo "psm-$name end"
`;

const LIST = `${COMMON}for dir in "$base"/j*; do
  [ -d "$dir" ] || continue
  look "$dir"
  started=-
  read -r started <"$dir/started" 2>/dev/null
  label=$(base64 "$dir/label" 2>/dev/null | tr -d '\\n')
  echo "psm-job \${dir##*/} $state $code $at $started $(size "$dir/out") $(size "$dir/err") $label"
done
echo 'psm-job end'
`;

/** Marks a running job as killed and tells how to find it; forgets one that is over, with its output. */
const END = `${COMMON}name=$1
dir=$base/$name
[ -d "$dir" ] || { echo "psm-$name missing"; exit 0; }
look "$dir"
if [ "$state" = running ]; then
  : >"$dir/killed"
  read -r pid begun booted <"$dir/pid"
  read -r cookie <"$dir/cookie"
  echo "psm-$name running $cookie $pid $begun"
else
  rm -rf -- "$dir"
  echo "psm-$name over $state $code"
fi
`;

const inSh = (text: string): string => `exec sh -c ${quote(text)} psm "$@"`;
const withArgs = (text: string, args: readonly string[]): string =>
  `set -- ${args.map(quote).join(' ')}\n${inSh(text)}`;

export const startScript = (args: readonly string[]): string => withArgs(START, args);
export const endScript = (name: string): string => withArgs(END, [name]);
export const readJob = new Reading(inSh(READ));
export const listJobs = new Reading(inSh(LIST));
