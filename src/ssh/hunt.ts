/** What a run left to be found by. */
export interface Prey {
  readonly cookie: string;
  /**
   * The first process on the host, while the server has not told its end: then the pid cannot be another's. In plain
   * runs it leads the session.
   */
  readonly pid?: number;
}

/** One look at the processes of a host. */
export interface Look {
  readonly pids: readonly number[];
  /** `group`: the host has no /proc, so only process groups and descent were looked at. */
  readonly by: 'proc' | 'group';
}

/**
 * Answers each line of stdin (signal, cookie, pid, what is known) with how it looked, the pids it found and signalled,
 * and what is known now. Found are: what has the cookie in its environment; what descends from that or was found before
 * (by start time, because pids come again); and every member of a session or group whose leader was found, which holds
 * what cleared its environment. What is killed is frozen first, or the parent of what dies first would fork another.
 * No process of this script carries the cookie, so it never finds itself.
 */
export const LOOK_SCRIPT = `while IFS=' ' read -r signal cookie root known; do
  if [ -r /proc/self/environ ]; then by=proc; else by=group; fi
  found=$(
    {
      echo "$root $known"
      if [ $by = proc ]; then
        grep -lsF "PSM_RUN=$cookie" /proc/[0-9]*/environ
        grep -sH '' /proc/[0-9]*/stat
      else
        ps -A -o pid= -o stat= -o ppid= -o pgid= | while read -r pid stat parent group; do
          echo "/proc/$pid/stat:0 (-) $stat $parent $group $group 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
        done
      fi
    } | awk '
      NR == 1 { root = $1; for (i = 2; i <= NF; i++) was[$i] = 1; next }
      { split($0, p, "/") }
      /^\\/proc\\/[0-9]+\\/environ$/ { marked[p[3]] = 1; next }
      {
        rest = $0; sub(/^.*\\) /, "", rest)
        if (split(rest, f, " ") < 20 || f[1] ~ /^[ZX]/) next
        parent[p[3]] = f[2]; session[p[3]] = f[4]; start[p[3]] = f[20]
      }
      function found(pid) {
        return pid in marked || pid == root || (pid "." start[pid]) in was || parent[pid] in ours || ("s" session[pid]) in was
      }
      END {
        do {
          more = 0
          for (pid in parent) if (!(pid in ours) && found(pid)) {
            ours[pid] = 1; more = 1
            if (session[pid] == pid) was["s" pid] = 1
          }
        } while (more)
        for (pid in ours) { pids = pids " " pid; was[pid "." start[pid]] = 1 }
        for (id in was) ids = ids " " id
        print pids "|" ids
      }'
  )
  pids=\${found%%|*}
  if [ -n "$pids" ] && [ "$signal" != 0 ]; then
    [ "$signal" != KILL ] || kill -s STOP $pids 2>/dev/null
    kill -s "$signal" $pids 2>/dev/null
  fi
  echo "$by$found"
done
`;

const TERM_MS = 1_000;
const SETTLE_MS = 50;
const PATIENCE_MS = 100;

/**
 * Signals a run's processes until two looks in a row found none: TERM, and after a second KILL, again and again, because a
 * process may fork between the look and the signal. `ask` gives the script one line and gives back its answer, or undefined
 * when nobody answers any more, which ends the hunt. `tell` hears of every look, and how many in a row found nothing.
 */
export async function hunt(
  { cookie, pid = 0 }: Prey,
  ask: (line: string) => Promise<string | undefined>,
  tell: (look: Look, empty: number) => void,
): Promise<void> {
  const start = performance.now();
  let known = '';
  for (let empty = 0, looks = 0; empty < 2; looks++) {
    const signal = looks === 0 ? 'TERM' : performance.now() - start < TERM_MS ? '0' : 'KILL';
    const answer = await ask(`${signal} ${cookie} ${looks === 0 ? pid : 0} ${known}`);
    if (answer === undefined) return;
    const [seen = '', ids = ''] = answer.split('|');
    const [by, ...pids] = seen.split(' ');
    known = ids.trim();
    empty = pids.length === 0 ? empty + 1 : 0;
    tell({ pids: pids.map(Number).sort((a, b) => a - b), by: by === 'group' ? 'group' : 'proc' }, empty);
    // What takes its time to end is looked at ever less often, because every look costs the host some processes.
    const pause = signal === 'KILL' || empty > 0 ? SETTLE_MS : PATIENCE_MS * (looks + 1);
    if (empty < 2) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
