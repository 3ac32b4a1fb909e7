import { fileReading, SMALL } from './script.ts';

/** The most that one answer holds of a file. */
export const MOST_READ = 1024 * 1024;

/**
 * Reads a part of a regular file. Arguments: the file; `bytes` or `lines`; where to begin, negative from the end; how
 * many of them; how many bytes at most; of how many bytes to tell the hash: a number, `small` for all when they are few,
 * or nothing. dd moves to the place without reading up to it, which not every tail does; /proc says of its files that
 * they are empty.
 */
export const READ = fileReading(`unit=$2 o=$3 n=$4 most=$5 of=$6
look "$f" || no missing
tell stat "$s"
real "$f" && tell real "$r"
[ ! -d "$f" ] || no folder
[ -f "$f" ] || no special
[ -r "$f" ] || no denied
set -- $s
size=$2
if [ "$of" = small ]; then
  of=
  [ "$size" -eq 0 ] || [ "$size" -gt ${SMALL} ] || of=$size
fi
if [ -n "$of" ]; then
  sum "$f" "$of"
  tell sum "$h"
fi
if [ $unit = bytes ]; then
  if [ "$o" -lt 0 ]; then
    o=$((size + o))
    [ "$o" -ge 0 ] || o=0
  fi
  tell from "$o"
  printf '\\0'
  if [ "$o" -eq 0 ]; then
    head -c "$n" <"$f"
  elif [ "$size" -gt 0 ] && command -v dd >/dev/null; then
    { dd bs=1 skip="$o" count=0 2>/dev/null; head -c "$n"; } <"$f"
  else
    tail -c "+$((o + 1))" "$f" | head -c "$n"
  fi
else
  if [ "$size" -le ${SMALL} ]; then
    lines=$(awk 'END { print NR }' <"$f")
    tell lines "$lines"
    [ "$o" -ge 0 ] || o=$((lines + o > 0 ? lines + o : 0))
  fi
  tell from "$o"
  printf '\\0'
  if [ "$o" -lt 0 ]; then tail -n "\${o#-}" "$f"; else tail -n "+$((o + 1))" "$f"; fi | head -n "$n" | head -c "$most"
fi
`);
