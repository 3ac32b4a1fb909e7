import { randomBytes } from 'node:crypto';
import { quote, refuseUncarriable } from './quote.ts';

/*
 * What the shell of a session is given to read. It reads commands from its standard input; its descriptors 7 and 6 are the
 * session's two outputs, and what else it says goes nowhere. Its names begin with PSM_.
 */

/**
 * Makes the login's shell that of the session: bash where there is one, else sh. Only an interactive bash outlives an
 * error of its script; in sh that is `command eval`'s doing.
 */
export const SHELL =
  'unset TMOUT PROMPT_COMMAND; command -v bash >/dev/null 2>&1 && ' +
  'exec bash --norc --noprofile --noediting +o history +H -i 7>&1 6>&2 >/dev/null 2>&1; ' +
  'exec sh 7>&1 6>&2 >/dev/null 2>&1';

/** What a mark looks like in a stream: text of the shell between two copies of a random word. */
export const markStart = (word: string): string => `${word}[`;
export const markEnd = (word: string): string => `]${word}`;

/** A word that nothing else says. */
export const newWord = (): string => randomBytes(16).toString('hex');

/** Says a mark. The text is expanded by the shell. */
export const say = (word: string, text = ''): string =>
  `\\command printf '%s' "${markStart(word)}${text}${markEnd(word)}"`;

/** A mark on both outputs. */
const sayBoth = (word: string, text: string): string => `${say(word, text)} >&7; ${say(word)} >&6`;

/** The shell's children (proc_pid_children(5)). The file has no newline at its end, at which read fails. */
const CHILDREN = 'unset PSM_KIDS; read -r PSM_KIDS </proc/$$/task/$$/children || :';

/** Every process whose stdout or stderr is one of the session's outputs. */
const HOLDERS =
  'PSM_HELD=$(set +fe; for PSM_F in /proc/[0-9]*/fd/1 /proc/[0-9]*/fd/2; do ' +
  'if [ "$PSM_F" -ef /proc/$$/fd/7 ] || [ "$PSM_F" -ef /proc/$$/fd/6 ]; then ' +
  `PSM_F=\${PSM_F#/proc/}; printf " %s" "\${PSM_F%%/*}"; fi; done) || :`;

/**
 * Makes the shell give up a script when it gets PROF, and then only: bash by the interrupt that takes an interactive shell
 * to its prompt wherever it is, sh by an error that `command eval` ends at. What waits for a child does so when that is
 * over, however it ended, so no step follows one that was stopped.
 */
const GIVING_UP =
  `if [ -n "\${BASH_VERSION-}" ]; then trap '[ -n "\${PSM_S-}" ] || kill -s INT $$' PROF; ` +
  `else trap '[ -n "\${PSM_S-}" ] || { set +e; : "\${PSM_STOP?interrupted}"; }' PROF; fi`;

/** The first line: tells the holders of its output, which started it, and its directory. */
export const beginText = (word: string): string =>
  `PSM_S=0; ${GIVING_UP}; ${HOLDERS}; ${sayBoth(word, `$PSM_HELD|\${PWD-}`)}\n`;

/** What tells the holders of the output by now. */
export const holdersText = (word: string): string => `${HOLDERS}; ${say(word, '$PSM_HELD')} >&7\n`;

/** Makes two files its outputs. */
export const moveText = (word: string, stdout: string, stderr: string): string =>
  `\\command exec 7>${quote(stdout)} 6>${quote(stderr)}; ${sayBoth(word, '')}\n`;

export interface ScriptText {
  readonly script: string;
  /** In the environment of what it starts. */
  readonly cookie: string;
  /** The file that it reads. */
  readonly stdin: string;
  /** Random words: one that is told when it begins, with the children of before; one when it ended. */
  readonly begin: string;
  readonly end: string;
}

/**
 * Runs a script and tells its end. It is read whole before any of it runs, and is one command, so an error ends all of
 * it. The word for its end is in a line of its own, which the shell has not read while the script runs.
 */
export function scriptText({ script, cookie, stdin, begin, end }: ScriptText): string {
  refuseUncarriable(script, 'The script');
  // A group may not be empty. The newlines end a comment, and a line that a backslash continues.
  const whole = quote(`{ ${/^\s*[^#\s]/m.test(script) ? '' : ':; '}${script}\n\n}`);
  return (
    `unset PSM_S; export PSM_RUN=${cookie}; ${CHILDREN}; ${sayBoth(begin, `\${PSM_KIDS-}`)}; ` +
    `\\command eval ${whole} <${quote(stdin)} >&7 2>&6 7>&- 6>&-; PSM_S=$?\n` +
    // No reserved word at the start: after a syntax error in its script, bash does not know one.
    `PSM_S=\${PSM_S:-$?}; ${CHILDREN}; ${sayBoth(end, `$PSM_S|\${PSM_KIDS-}|\${PWD-}`)}\n`
  );
}
