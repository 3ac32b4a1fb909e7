import { quote } from '../../ssh/quote.ts';
import { Reading } from '../../ssh/reading.ts';

/** How far back a file is looked at, in bytes: for its last lines, and for lines that match. */
export const FILE_WINDOW = 2 * 1024 * 1024;
export const FILE_WINDOW_SEARCHED = 32 * 1024 * 1024;
/** How many lines of the journal are looked at for those that match. */
export const JOURNAL_SEARCHED = 20_000;
/** Bytes of lines that are given at most; the newest ones. */
export const MOST_BYTES = 900_000;

/**
 * Prints lines of `$1` (a word that nobody can foresee) and what is to be known, the last of them `text`; then the log,
 * each line with its number and a colon when `$6` was looked for, and a line of `$1`, `end` and an exit code, whose
 * number is how many lines were looked at, and one.
 */
const SCRIPT = String.raw`mark=$1 file=$2 unit=$3 since=$4 until=$5 pattern=$6 lines=$7 priority=$8 boot=$9
shift 9
kernel=$1 ignore=$2 rotated=$3 window=$4 searched=$5 bytes=$6
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
say() { printf '%s %s\n' "$mark" "$*"; }
flat() { tr '\n' ' '; }
if [ -n "$pattern" ]; then
  # busybox reads its pattern when it has a line to compare with it.
  why=$(echo | grep -E -e "$pattern" 2>&1 >/dev/null)
  [ $? -le 1 ] || { say pattern "$(printf '%s' "$why" | flat)"; exit; }
fi

# Two more than asked for: the one that says whether there are others, and the end.
newest() { tail -n "$((lines + 2))" | cut -c 1-4000 | tail -c "$bytes"; }
shown() {
  say text
  if [ -z "$pattern" ]; then newest
  elif [ -n "$ignore" ]; then grep -inE -e "$pattern" -e "^$mark end " | newest
  else grep -nE -e "$pattern" -e "^$mark end " | newest
  fi
}

journal() {
  most=$((lines + 1))
  [ -z "$pattern" ] || most=$searched
  set -- --no-pager --output=short-iso "--lines=$most"
  [ -z "$unit" ] || set -- "$@" "--unit=$unit"
  [ -z "$since" ] || set -- "$@" "--since=$since"
  [ -z "$until" ] || set -- "$@" "--until=$until"
  [ -z "$priority" ] || set -- "$@" "--priority=$priority"
  [ -z "$kernel" ] || set -- "$@" --dmesg
  [ -z "$boot" ] || set -- "$@" "--boot=$boot"
  journalctl "$@"
}

# A cut line at the beginning of the window is left out. A log that was emptied under its writer begins with a hole.
text() {
  case $1 in
    *.gz) gzip -dc <"$1" | tail -c "$window" | tr -d '\0' ;;
    *)
      if [ "$(stat -L -c %s "$1")" -gt "$window" ]; then tail -c "$window" <"$1" | tr -d '\0' | sed 1d
      else tr -d '\0' <"$1"
      fi ;;
  esac
}
neighbours() {
  for each in "$file"-[0-9]* "$file".9.gz "$file".9 "$file".8.gz "$file".8 "$file".7.gz "$file".7 "$file".6.gz "$file".6 \
    "$file".5.gz "$file".5 "$file".4.gz "$file".4 "$file".3.gz "$file".3 "$file".2.gz "$file".2 "$file".1.gz "$file".1; do
    [ -f "$each" ] && [ ! -L "$each" ] && [ -r "$each" ] || continue
    text "$each"
  done
}
named() { if [ -n "$unit" ]; then grep -F -e "$unit" || :; else cat; fi; }
last() {
  case $file in *.gz) gzip -dc <"$file" | tail -c 1 ;; *) tail -c 1 <"$file" ;; esac | tr -d '\0'
}
content() {
  [ -z "$rotated" ] || neighbours
  text "$file"
  [ -z "$(last)" ] || echo
}
# Whether the file is one that can be read as a log; else that is said.
fit() {
  [ -e "$file" ] || { say absent; return 1; }
  real=$(readlink -f "$file")
  case $real in /proc/* | /sys/* | /dev/*) say system; return 1 ;; esac
  [ -f "$file" ] || { say kind "$(stat -L -c %F "$file" | flat)"; return 1; }
  [ -r "$file" ] || { say denied; return 1; }
  case $file in
    *.gz) ;;
    *) [ "$(tail -c 512 <"$file" | tr -dc '\0' | wc -c)" -eq 0 ] || { say binary; return 1; } ;;
  esac
  [ "$real" = "$file" ] || say link "$(printf '%s' "$real" | flat)"
  [ "$(stat -L -c %s "$file")" -le "$window" ] || say long
}

if [ -n "$file" ]; then
  fit && { content; say end $?; } | shown
  exit
fi
kept=none
if command -v journalctl >/dev/null; then
  why=$(journalctl --no-pager -n 1 2>&1 >/dev/null)
  case $why in
    *'insufficient permissions'*) say journal denied; exit ;;
    *'not seeing messages'*) kept=partly ;;
    *) [ -z "$(journalctl --no-pager -n 1 2>/dev/null | grep -v '^-- ')" ] || kept=all ;;
  esac
fi
say journal "$kept"
if [ "$kept" != none ]; then
  { journal; say end $?; } | shown
  exit
fi
unit=$(printf "%s" "$unit" | sed "s,[.]service$,,")
if [ -n "$kernel" ]; then
  say source dmesg
  { dmesg; say end $?; } | shown
  exit
fi
for file in /var/log/syslog /var/log/messages; do
  [ -f "$file" ] || continue
  say source "$file"
  fit && { content | named; say end $?; } | shown
  exit
done
logread >/dev/null 2>&1 || { say source none; exit; }
say source logread
{ logread | named; say end $?; } | shown
`;

/** A log of a host or guest, by systemd's journal or from a file; see the script for its arguments. */
export const logReading = new Reading(`exec sh -c ${quote(SCRIPT)} sh "$@"`);
