/** What a run left to be found by. */
export interface Prey {
  readonly cookie: string;
  /**
   * The first process on the host, while the server has not told its end: then the pid cannot be another's. In plain
   * runs it leads the session. May become known during the hunt, when the command had not begun before.
   */
  readonly pid?: number;
  /** Its whole session is the run's, led by a sudo that belongs to another user than who looks. */
  readonly session?: boolean;
  /** Whether the server still waits for its end: then what is not found yet may be about to begin. */
  readonly awaited?: () => boolean;
  /** KILL from the first look on, because there is no time to be gentle. */
  readonly atOnce?: boolean;
  /** A command of a shell that is to outlive it. */
  readonly below?: Below;
}

/** What runs below a shell, but not the shell. */
export interface Below {
  readonly shell: number;
  /** Children of the shell that are not the command's. */
  readonly spare: readonly number[];
  /** Whether the shell has given up its script. Until then it is told to, by PROF, whenever something is signalled. */
  readonly back: () => boolean;
  /** Called when it has been told to for the first time. */
  readonly told?: () => void;
}

/** One look at the processes of a host. */
export interface Look {
  readonly pids: readonly number[];
  /** `group`: the host has no /proc, so only process groups and descent were looked at. */
  readonly by: 'proc' | 'group';
}

/**
 * Takes orders (signal, cookie, pid, what is known), one a line, and at `go` looks once for all of them: each is answered
 * by how it was looked, the pids that were found and signalled, and what is known now. Found are: what has the cookie in
 * its environment; what descends from that or was found before (by start time, because pids come again); and every member
 * of a session or group whose leader was found, which holds what cleared its environment. What is killed is frozen first,
 * or the parent of what dies first would fork another; but not what a stranger waits for, which is signalled before the
 * rest: a sudo stops when its command does, and another user cannot wake it. A pid with an s before it stands for its
 * session too; one with a u for what is below it, but not for it, nor for those listed after it, and with !u it is sent
 * PROF first. No process of this script carries a cookie of its orders. Where there is neither /proc nor a ps that
 * works, each order is answered by `blind`: what cannot be seen is not known to be gone.
 */
export const LOOK_SCRIPT = `orders= cookies= by=group
if [ ! -r /proc/self/environ ]; then :
elif printf 'a\\0b' | grep -qF b; then
  by=proc
  marked() { grep -lsF PSM_RUN= /proc/[0-9]*/environ; }
  holders() { grep -lsF "PSM_RUN=$1" /dev/null $marked; }
elif command -v strings >/dev/null; then
  # busybox's grep sees nothing behind a NUL. That the name of the file is at the start of the line, nobody can forge.
  by=proc
  marked() { strings -f /proc/[0-9]*/environ 2>/dev/null | grep -F PSM_RUN=; }
  holders() { echo "$marked" | sed -n "s/^\\([^:]*\\): PSM_RUN=$1$/\\1/p"; }
fi
look() {
  echo "$orders"
  if [ $by = proc ]; then
    marked=$(marked)
    for cookie in $cookies; do
      echo "cookie $cookie"
      holders "$cookie"
    done
  fi
  if [ -r /proc/self/stat ]; then
    grep -sH '' /proc/[0-9]*/stat
  else
    ps -A -o pid= -o stat= -o ppid= -o pgid= | while read -r pid stat parent group; do
      echo "/proc/$pid/stat:0 (-) $stat $parent $group $group 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    done
  fi
}
while IFS= read -r order; do
  if [ "$order" != go ]; then
    orders="\${orders}order $order
"
    order=\${order#* }
    cookies="$cookies \${order%% *}"
    continue
  fi
  look | awk '
    $1 == "order" {
      n++; signal[n] = $2; number[$3] = n; whole[n] = sub(/^s/, "", $4); told[n] = sub(/^!/, "", $4)
      if (sub(/^u/, "", $4)) {
        m = split($4, p, ",")
        shell[n] = p[1]
        for (i = 2; i <= m; i++) spared[n, p[i]] = 1
      } else root[n] = $4
      for (i = 5; i <= NF; i++) was[n, $i] = 1
      next
    }
    $1 == "cookie" { owner = number[$2]; next }
    NF == 0 { next }
    { split($0, p, "/") }
    /^\\/proc\\/[0-9]+\\/environ$/ { marked[owner, p[3]] = 1; next }
    {
      rest = $0; sub(/^.*\\) /, "", rest)
      if (split(rest, f, " ") < 20 || f[1] ~ /^[ZX]/) next
      parent[p[3]] = f[2]; session[p[3]] = f[4]; start[p[3]] = f[20]; seen = 1
    }
    function found(n, pid) {
      return (n, pid) in marked || pid == root[n] || (n, pid "." start[pid]) in was ||
        (n, parent[pid]) in ours || (session[pid] != pid && (n, "s" session[pid]) in was) ||
        (n in shell && parent[pid] == shell[n] && !((n, pid) in spared))
    }
    function answer(n, more, pid, first, ids, key, frozen) {
      if (whole[n] && root[n] in session) was[n, "s" session[root[n]]] = 1
      do {
        more = 0
        for (pid in parent) if (!((n, pid) in ours) && found(n, pid)) {
          ours[n, pid] = 1; more = 1
          was[n, pid "." start[pid]] = 1
          if (session[pid] == pid) was[n, "s" pid] = 1
        }
      } while (more)
      for (pid in parent) if ((n, pid) in ours) {
        if (parent[pid] <= 1 || (n, parent[pid]) in ours) frozen = frozen " " pid
        else first = first " " pid
      }
      for (key in was) { split(key, p, SUBSEP); if (p[1] == n) ids = ids " " p[2] }
      print signal[n] "|" (told[n] ? shell[n] : "") "|" first frozen "|" frozen "|" ids
    }
    END { for (i = 1; i <= n; i++) if (seen) answer(i); else print "blind|" (told[i] ? shell[i] : "") }
  ' | while IFS='|' read -r signal told pids frozen known; do
    [ -z "$told" ] || [ "$signal" = 0 ] || kill -s PROF "$told" 2>/dev/null
    [ "$signal" != blind ] || { echo blind; continue; }
    if [ -n "$pids" ] && [ "$signal" != 0 ]; then
      [ "$signal" != KILL ] || [ -z "$frozen" ] || kill -s STOP $frozen 2>/dev/null
      kill -s "$signal" $pids 2>/dev/null
    fi
    echo "$by$pids|$known"
  done
  orders= cookies=
done
`;

/** From when on what is sent, in ms; KILL at every look, the others once. A shell's command is first interrupted. */
const STAGES: readonly Stage[] = [
  { from: 0, signal: 'TERM' },
  { from: 1_000, signal: 'KILL' },
];
const STAGES_BELOW: readonly Stage[] = [
  { from: 0, signal: 'INT' },
  { from: 600, signal: 'TERM' },
  { from: 1_400, signal: 'KILL' },
];
const AT_ONCE: readonly Stage[] = [{ from: 0, signal: 'KILL' }];
interface Stage {
  readonly from: number;
  readonly signal: 'INT' | 'TERM' | 'KILL';
}
const SETTLE_MS = 50;
const PATIENCE_MS = 100;

/** How an order names what is below a shell. */
export const belowWord = ({ shell, spare }: Below): string => `u${[shell, ...spare].join(',')}`;

/** What an order says of its prey besides the cookie; a pid only once, since it may become another's. */
function rootOf({ pid = 0, session = false, below }: Prey, told: boolean): string {
  if (below) return `${below.back() ? '' : '!'}${belowWord(below)}`;
  return told ? '0' : `${session ? 's' : ''}${pid}`;
}

/** What an answer says: what was seen, and what is known now. */
export function readAnswer(answer: string): { readonly look: Look; readonly known: string } {
  const [seen = '', ids = ''] = answer.split('|');
  const [by, ...pids] = seen.split(' ');
  const look = {
    pids: pids.map(Number).sort((a, b) => a - b),
    by: by === 'group' ? ('group' as const) : ('proc' as const),
  };
  return { look, known: ids.trim() };
}

/**
 * Signals a run's processes until two looks in a row found none and nothing more can begin: TERM, and after a second
 * KILL, again and again, because a process may fork between the look and the signal. `ask` gives the script one order
 * and gives back its answer, or undefined when nobody answers any more; that, and one who sees nothing, ends the hunt.
 * `tell` hears of every look, and how many in a row found nothing.
 */
export async function hunt(
  prey: Prey,
  ask: (line: string) => Promise<string | undefined>,
  tell: (look: Look, empty: number) => void,
): Promise<void> {
  const stages = prey.atOnce ? AT_ONCE : prey.below ? STAGES_BELOW : STAGES;
  const start = performance.now();
  const going = () => prey.below?.back() === false || prey.awaited?.() === true;
  let sent: Stage | undefined;
  let told = false;
  let known = '';
  for (let empty = 0, looks = 0; empty < 2 || going(); looks++) {
    const stage = stages.findLast(({ from }) => performance.now() - start >= from);
    const signal = stage && (stage !== sent || stage.signal === 'KILL') ? stage.signal : '0';
    sent = stage;
    const order = `${signal} ${prey.cookie} ${rootOf(prey, told)} ${known}`;
    told ||= prey.pid !== undefined;
    const answer = await ask(order);
    if (answer === undefined) return;
    if (looks === 0) prey.below?.told?.();
    if (answer.startsWith('blind')) return;
    const seen = readAnswer(answer);
    known = seen.known;
    empty = seen.look.pids.length === 0 ? empty + 1 : 0;
    tell(seen.look, empty);
    // What takes its time to end is looked at ever less often, because every look costs the host some processes.
    const soon = empty < 2 && (signal === 'KILL' || empty > 0);
    const pause = soon ? SETTLE_MS : PATIENCE_MS * (looks + 1);
    if (empty < 2 || going()) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
