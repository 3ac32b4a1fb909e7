import { quote } from '../../ssh/quote.ts';

/** What a script left, as shell text that brings it back. */
export interface Left {
  /** Directory, variables, functions, aliases, umask. */
  readonly state: string;
  /** Options of the shell. */
  readonly options: string;
}

/** What was told at the end of a script. */
export interface Told {
  readonly exitCode: number;
  readonly cwd: string;
  readonly left: Left;
}

/** Variables that bash itself makes, or that cannot be set. */
const OWN_OF_BASH =
  '[!A-Za-z_]* | _ | PSM_* | BASH* | EPOCH* | EUID | PPID | UID | SHELLOPTS | RANDOM | SRANDOM | LINENO | FUNCNAME | ' +
  'DIRSTACK | GROUPS | PIPESTATUS | HISTCMD';
const DUMP_OF_BASH =
  'printf "cd -- %q\\n" "$PWD"; umask -p; shopt -p; alias -p; for PSM_V in $(compgen -v); do ' +
  `case $PSM_V in ${OWN_OF_BASH}) ;; *) declare -p "$PSM_V" ;; esac; done; declare -f`;
/** sh has no way to tell its functions. */
const DUMP_OF_SH =
  `printf "cd -- '%s'\\n" "$(printf %s "$PWD" | sed "s/'/'\\\\\\\\''/g")"; printf 'umask %s\\n' "$(umask)"; ` +
  `export -p; alias | sed 's/^/alias /; s/^alias alias /alias /'; set`;

/**
 * A script as the whole of a shell's life: it begins where the last one ended, and what it leaves is told behind its
 * stderr. A script that ends its shell leaves nothing. `word` is random.
 */
export function wholeLife(script: string, { state, options }: Left, cookie: string, word: string): string {
  const body = `{ { ${options === '' ? ':' : options}\n} 2>/dev/null\n${script}\n\n}`;
  return [
    ...(state === '' ? [] : [`command eval ${quote(state)} >/dev/null 2>&1`]),
    `export PSM_RUN=${cookie}`,
    'unset PSM_S PSM_O PSM_V PSM_SH PSM_OWN PSM_TEXT',
    `command eval ${quote(body)}`,
    '{ PSM_S=$? PSM_O=$(set +o); set +vxeu; } 2>/dev/null',
    `{ printf '%s[%s|%s|' ${word} "$PSM_S" "$PWD"; printf '%s%s' "$PSM_O" '|${word}|'`,
    'unset PSM_S PSM_O',
    `if [ -n "$BASH_VERSION" ]; then ${DUMP_OF_BASH}; else ${DUMP_OF_SH}; fi`,
    `printf ']%s' ${word}; } >&2 2>/dev/null`,
  ].join('\n');
}

/** Takes what was told off the stderr of a script; undefined when its shell ended before. */
export function readTold(stderr: Buffer, word: string): { readonly told?: Told; readonly stderr: Buffer } {
  const end = `]${word}`;
  const begin = stderr.lastIndexOf(`${word}[`);
  if (begin < 0 || stderr.subarray(-end.length).toString() !== end) return { stderr };
  const text = stderr.toString('utf8', begin + word.length + 1, stderr.length - end.length);
  const [head = '', state = ''] = text.split(`|${word}|`);
  const [code = '', ...rest] = head.split('|');
  const options = rest.pop() ?? '';
  const told = { exitCode: Number(code), cwd: rest.join('|'), left: { state, options } };
  return { told, stderr: stderr.subarray(0, begin) };
}
