import { SMALL } from './script.ts';

/** What the scripts that write are told, besides the file. */
export interface WriteOrder {
  /** `any`: what is there may be replaced; `none`: nothing may be there; else the SHA-256 of what must be there. */
  readonly expect: string;
  /** A random word of letters and digits. */
  readonly token: string;
  readonly size: number;
  /** Octal; what the file has, or a new one gets, when absent. */
  readonly mode?: string;
  /** `user` or `user:group`. */
  readonly owner?: string;
  readonly makeFolders?: boolean;
}

export const orderArgs = (path: string, order: WriteOrder): string[] => [
  path,
  order.expect,
  order.token,
  String(order.size),
  order.mode ?? '',
  order.owner ?? '',
  order.makeFolders ? '1' : '',
];

/**
 * `place` finds the real file `r` and its folder `d`. `check` sees that what is there may be replaced; `was` are its
 * facts, `old` its hash. `flush` has the temporary file `t` put on the disk; what the disk refuses is removed, because the
 * same bytes would seem to be there the next time, and a file system that cannot be asked is none that refuses. `publish` gives it the mode, owner and attributes that the file has or
 * shall have, and puts it in its place in one step: by a link where nothing may be there, because a rename would replace
 * what somebody else made meanwhile. The lock is for others of our kind, who check and publish too.
 */
const COMMON = `expect=$2 token=$3 size=$4 mode=$5 owner=$6 folders=$7
mask=$(umask)
place() {
  case $f in */) no folder ;; esac
  d=\${f%/*}
  d=\${d:-/}
  if [ ! -d "$d" ]; then
    if [ "$folders" = 1 ]; then
      e=$(mkdir -p -- "$d" 2>&1) || no mkdir "$e"
    else
      look "$d"
      no no-folder
    fi
  fi
  real "$f" || no other 'its links lead nowhere'
  d=\${r%/*}
  d=\${d:-/}
}
check() {
  was=
  old=none
  if look "$r"; then
    [ ! -d "$r" ] || no folder
    [ -f "$r" ] || no special
    was=$s
    old=
    set -- $s
    if [ \${#expect} -eq 64 ] || [ "$2" -le ${SMALL} ]; then
      sum "$r" "$2"
      old=$h
    fi
  fi
  tell old "$old"
  [ "$expect" != any ] && [ "$expect" != "$old" ] || return 0
  [ "$expect" != none ] || no exists
  [ -n "$old" ] || no unverified
  no changed
}
create() {
  umask 077
  e=$( (set -C; : >"$1") 2>&1) || no create "$e"
}
lock() {
  command -v flock >/dev/null && [ -r "$d" ] || return 0
  exec 9<"$d"
  tries=0
  until flock -n 9 2>/dev/null || [ $tries -eq 50 ]; do
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}
flush() {
  e=$(dd if=/dev/null of="$t" conv=notrunc,fsync 2>&1) || case $e in
    *'put/output error'* | *'I/O error'* | *'No space left'* | *'uota exceeded'* | *'ead-only file system'* | *'tale file handle'* | *'timed out'* | *'not connected'*)
      rm -f -- "$t"
      no flush "$e"
      ;;
  esac
}
publish() {
  m=$mode
  if [ -n "$was" ]; then
    like=$(stat -c '%a %u:%g' -- "$r")
    cp --attributes-only --preserve=all -- "$r" "$t" 2>/dev/null && touch -- "$t"
    m=\${m:-\${like%% *}}
    o=\${like#* }
    [ "$(stat -c %u:%g -- "$t")" = "$o" ] || e=$(chown -- "$o" "$t" 2>&1) || [ -n "$owner" ] || no keep "$e"
  fi
  m=\${m:-$(printf %o $((0666 & ~0$mask)))}
  [ -z "$owner" ] || e=$(chown -- "$owner" "$t" 2>&1) || no keep "$e"
  [ "$(stat -c %a -- "$t")" = "$m" ] || e=$(chmod "$m" "$t" 2>&1) || [ -z "$mode$was" ] || no keep "$e"
  lock
  check
  if [ "$old" = none ] && ln -- "$t" "$r" 2>/dev/null; then
    rm -f -- "$t"
  else
    [ "$old" != none ] || [ "$expect" = any ] || [ ! -e "$r" ] || no exists
    e=$(mv -f -- "$t" "$r" 2>&1) || no rename "$e"
  fi
  look "$r"
  tell was "$was"
  tell stat "$s"
  tell real "$r"
  printf '\\0'
}
`;

/**
 * Writes a whole file, of `size` bytes and the SHA-256 `$8`, from stdin. Until all of it has come, been compared and put
 * on the disk, it is a temporary file beside it, which is removed whatever happens but a KILL.
 */
export const WRITE = `${COMMON}want=$8
place
check
t=$d/.psm-$token.tmp
trap 'rm -f -- "$t"' 0
trap 'exit 1' 1 2 13 15
create "$t"
e=$(cat 2>&1 >"$t") || no full "$e"
[ "$(stat -c %s -- "$t")" -eq "$size" ] || no cut
sum "$t" "$size"
[ -z "$h" ] || [ "$h" = "$want" ] || no damaged
tell sum "$h"
flush
publish
`;

/**
 * What of an upload is there. While a script writes it, it is that one's alone by its name `b`; else it is called `p`, and
 * is free for whoever renames it to a `b` of his own. So is a `b` that nobody has written to for two minutes. What is not
 * ours, or has a second name, is not trusted: the folder may be one that everybody writes to.
 */
const PART = `key=$8
b=$d/.psm-$key.$token.busy
p=$d/.psm-$key.$token.part
left() {
  for one in "$d/.psm-$key".*.part "$d/.psm-$key".*.busy; do
    [ -f "$one" ] && [ ! -L "$one" ] && [ "$(stat -c '%u %h' -- "$one")" = "$(id -u) 1" ] || continue
    case $one in *.busy) [ -n "$(find "$one" -prune -mmin +2 2>/dev/null)" ] || continue ;; esac
    return 0
  done
  return 1
}
hold() {
  trap 'mv -f -- "$b" "$p" 2>/dev/null' 0
  trap 'exit 1' 1 2 13 15
}
`;

/** Looks how much of an upload is there already, and tells the hash of that. `$8` tells uploads apart. */
export const UPLOAD_BEGIN = `${COMMON}place
check
${PART}h= n=0
if left; then
  n=$(stat -c %s -- "$one")
  [ "$n" -gt "$size" ] || sum "$one" "$n"
fi
tell part "$n"
tell sum "$h"
printf '\\0'
`;

/** Goes on with an upload from byte `$9` on, with what comes on stdin. */
export const UPLOAD_APPEND = `${COMMON}from=$9
place
${PART}hold
! left || mv -- "$one" "$b" 2>/dev/null
[ "$from" -gt 0 ] || {
  rm -f -- "$b"
  create "$b"
}
[ -f "$b" ] && [ "$(stat -c %s -- "$b")" -eq "$from" ] || no gone
e=$(cat 2>&1 >>"$b") || {
  rm -f -- "$b"
  no full "$e"
}
[ "$(stat -c %s -- "$b")" -eq "$size" ] || no cut
mv -f -- "$b" "$p"
trap - 0
printf '\\0'
`;

/**
 * Ends an upload: compares the hash with that on stdin, which the other side finds out at the same time, and publishes.
 * What may not be published stays as a part; what is damaged does not.
 */
export const UPLOAD_END = `${COMMON}place
${PART}hold
mv -- "$p" "$b" 2>/dev/null && [ -f "$b" ] && [ ! -L "$b" ] || no gone
t=$b
check
sum "$b" "$size"
IFS= read -r want || exit 1
[ -z "$h" ] || [ "$h" = "$want" ] || {
  rm -f -- "$b"
  no damaged
}
tell sum "$h"
[ "$size" -gt ${SMALL} ] || flush
publish
rm -f -- "$d/.psm-$key".*.part
`;
