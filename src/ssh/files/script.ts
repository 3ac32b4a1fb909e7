import { quote } from '../quote.ts';
import { Reading } from '../reading.ts';

/*
 * What runs on a host to read or write one file. It tells its answer on stdout: a mark, fields (`name=value`, each ended
 * by NUL), an empty field, and after that the bytes that were asked for. The field `no` is a refusal, by a word. What
 * comes before the mark is what the login's start-up files say.
 */

/** Bytes up to which a file is hashed though nobody said that it must be, and is forced onto the disk. */
export const SMALL = 64 * 1024 * 1024;

/** As printf writes the mark (see reply.ts). */
const START = '\\0psm\\0';

/** A program of POSIX sh on its own, because the login's shell may be zsh, and a guest's root may have any. */
const program = (text: string): string => `sh -c ${quote(text)} sh "$@"`;

/** The same text for a host or container, whose stdout are bytes, and for a guest agent, which carries text only. */
export interface FileReading {
  readonly bytes: Reading;
  readonly base64: Reading;
}

/** Shell text that changes nothing, as it has to be run; `$1` is the file. */
export const fileReading = (text: string): FileReading => ({
  bytes: new Reading(`exec ${program(PRELUDE + text)}`),
  base64: new Reading(`${program(PRELUDE + text)} | base64`),
});

/** Shell text that writes, with its arguments. For a guest agent stdin is base64 too. */
export function fileScript(text: string, args: readonly string[], base64: boolean): string {
  const whole = program(PRELUDE + text);
  return `set -- ${args.map(quote).join(' ')}\n${base64 ? `base64 -d | ${whole} | base64` : `exec ${whole}`}`;
}

/**
 * `f` is the file. `look` sets `s` to what is known of what a path leads to, and fails when there is nothing; `real` sets
 * `r` to the path without links; `sum` sets `h` to the SHA-256 of so many bytes, or to nothing where no program can tell.
 * Of the programs openssl is the fastest by far, and takes longer to start.
 */
const PRELUDE = `LC_ALL=C
export LC_ALL
printf '${START}'
f=$1
case $f in '~/'*) f=\${HOME:-/root}/\${f#??} ;; esac
tell() { printf '%s=%s\\0' "$1" "$2"; }
no() {
  tell no "$1"
  tell said "$2"
  printf '\\0'
  exit 0
}
look() {
  s=$(stat -Lc '%f %s %a %u %g %Y %h %i %d %U:%G' -- "$1" 2>&1) && return
  case $s in
    *'ermission denied'*) no denied "$s" ;;
    *'o such file'* | *'ot a directory'*) s= ;;
    *) no other "$s" ;;
  esac
  return 1
}
real() {
  r=$(readlink -f -- "$1" && echo .) && r=\${r%??}
}
hashed() {
  case $way in
    openssl) openssl dgst -sha256 -r ;;
    shasum) shasum -a 256 ;;
    *) sha256sum ;;
  esac 2>/dev/null
}
sum() {
  ways='sha256sum shasum openssl'
  [ "$2" -lt 4194304 ] || ways='openssl sha256sum shasum'
  for way in $ways; do
    command -v $way >/dev/null || continue
    if [ "$2" -eq "$(stat -Lc %s -- "$1")" ]; then h=$(hashed <"$1"); else h=$(head -c "$2" <"$1" | hashed); fi
    h=\${h%% *}
    [ \${#h} -ne 64 ] || return 0
  done
  h=
}
`;
