import { randomUUID } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Command, HostSpec } from './client.ts';
import type { As } from './kill.ts';
import { quote, refuseUncarriable, refuseUserName } from './quote.ts';

/**
 * Random words of one run. `cookie` is in the environment of every process of it (PSM_RUN), `prompt` is sudo's
 * prompt, `mark` starts the lines by which the wrapper tells on stderr how far it is.
 */
export interface Marks {
  readonly cookie: string;
  readonly prompt: string;
  readonly mark: string;
}

export interface Wrapped {
  readonly marks: Marks;
  /** What the login shell is given. */
  readonly line: string;
  /** What the wrapper reads from stdin before the command starts; may be empty. */
  readonly body: string;
  /** Whether sudo is in between: then nothing but a password may be sent before it let us in. */
  readonly sudo: boolean;
  /** Who can end what it starts. */
  readonly as: As;
}

// Dropbear drops the connection, with all that runs on it, at a command longer than 9,000 bytes (MAX_CMD_LEN in its
// sysoptions.h); OpenSSH does beyond 256 KiB, and Linux takes one argument of 128 KiB at most.
const LONGEST_LINE = 8 * 1024;
const LONGEST_SCRIPT = 16 * 1024 * 1024;

/** 122 random bits; Node keeps some in store for these, and asks the kernel for others every time. */
const word = (): string => randomUUID().replaceAll('-', '');

export const newMarks = (): Marks => ({ cookie: word(), prompt: `${word()}%${word()}`, mark: word() });

/** Whether the command goes through sudo: to be root, to be somebody else, and for `pct`, which only root may use. */
const needsSudo = ({ user }: HostSpec, command: Command): boolean => {
  if (user === 'root') return false;
  const other = command.user !== undefined && command.user !== user;
  return other || (command.user === undefined && command.sudo === true) || command.container !== undefined;
};

/** Whom su has to make of root; undefined when it is root, or the login, that runs the command. */
const becoming = ({ user }: HostSpec, command: Command): string | undefined => {
  const byRoot = command.container !== undefined || user === 'root';
  return byRoot && command.user !== 'root' ? command.user : undefined;
};

/**
 * The command line that runs `command` in the login shell of the user (of root through sudo; in a container in bash
 * when it has one, else sh). A script of one line travels in it, any other on stdin, and so does every environment
 * variable: they would be seen in the process list. `invalid-input` for what cannot be carried.
 */
export function wrap(host: HostSpec, command: Command, marks: Marks): Wrapped {
  refuse(command);
  // Evaluated apart, because zsh reads all of a text before it runs any: a script with an error in it would not begin.
  // The space keeps a script that starts with a dash from being taken for an option of eval.
  const text = `${prologue(host, command, marks)}; eval ${quote(` ${command.script}`)}`;
  const sudo = needsSudo(host, command);
  const as = !sudo ? {} : command.container === undefined && command.user ? { user: command.user } : { sudo };
  if (mayTravelInline(command)) {
    const line = road(host, command, text, marks);
    if (Buffer.byteLength(line) <= LONGEST_LINE) return { marks, line, body: '', sudo, as };
  }
  const body = text + marks.mark;
  return { marks, line: road(host, command, reader(body, marks), marks), body, sudo, as };
}

const mayTravelInline = ({ script, env = {} }: Command): boolean =>
  !script.includes('\n') && Object.keys(env).length === 0 && script.length <= LONGEST_LINE;

function refuse({ script, cwd, container, user, env = {} }: Command): void {
  refuseUncarriable(script, 'The script');
  refuseUserName(user);
  if (container !== undefined && !(Number.isInteger(container) && container >= 100)) {
    throw new Failure('invalid-input', `${container} is no VMID.`, 'Give the number of a container, 100 or more.');
  }
  if (Buffer.byteLength(script) > LONGEST_SCRIPT) {
    throw new Failure(
      'invalid-input',
      'The script is longer than 16 MiB.',
      'Put the bulk of it into a file or on stdin.',
    );
  }
  if (cwd !== undefined && (!cwd.startsWith('/') || Buffer.byteLength(cwd) > 4096)) {
    throw new Failure(
      'invalid-input',
      `"${cwd.slice(0, 100)}" is not an absolute directory.`,
      'Start it with a slash.',
    );
  }
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new Failure(
        'invalid-input',
        `"${name}" is no name for an environment variable.`,
        'Use letters, digits, _.',
      );
    }
    refuseUncarriable(value, `The environment variable ${name}`);
  }
}

/** Nobody sits at a keyboard: what would wait for one is told so, and pagers are no pagers. A call's own values win. */
export const UNATTENDED =
  'export PAGER=cat GIT_PAGER=cat MANPAGER=cat SYSTEMD_PAGER=cat GIT_TERMINAL_PROMPT=0 ' +
  'DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l';

/** Somebody else starts in a home of his own: that of the login may be closed to him. */
export const GO_HOME = 'cd -- "$HOME" 2>/dev/null || cd /';

/** Ends what runs it, and says so, where there is no such user. */
export const refuseUnknown = (user: string, mark: string): string =>
  `id -u -- ${user} >/dev/null 2>&1 || { printf '%s user\\n' ${mark} >&2; exit 1; }`;

/** Runs in the shell that runs the script. After `at` the script has been read and the next thing to run is its own. */
function prologue(host: HostSpec, command: Command, { cookie, mark }: Marks): string {
  const { cwd, env = {}, user, container } = command;
  const moved = user !== undefined && (container !== undefined || user !== host.user);
  return [
    UNATTENDED,
    // A container's own environment has no home.
    ...(container === undefined ? [] : [`export HOME="\${HOME:-/root}"`]),
    ...(cwd === undefined && moved ? [GO_HOME] : []),
    ...(cwd === undefined ? [] : [`cd -- ${quote(cwd)} || { printf '%s cd\\n' ${mark} >&2; exit 1; }`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PSM_RUN=${cookie}`,
    `printf '%s at %s\\n' ${mark} "$$" >&2`,
  ].join('; ');
}

/** Runs a script from stdin, or nothing of it when its end did not arrive. */
const reader = (body: string, { mark }: Marks): string =>
  `PSM_TEXT=$(head -c ${Buffer.byteLength(body)}); ` +
  `case $PSM_TEXT in *${mark}) eval "\${PSM_TEXT%${mark}}" ;; *) exit 1 ;; esac`;

/** What runs `$0` in bash where there is one, else in sh: as who runs this, or as the user `$1`. */
const SHELL = `command -v bash >/dev/null 2>&1 && exec bash -c "$0"; exec sh -c "$0"`;
const SHELL_OF = `PSM_SH=$(command -v bash || echo /bin/sh); exec su -s "$PSM_SH" -c "$0" "$1"`;

function road(host: HostSpec, command: Command, text: string, { cookie, prompt, mark }: Marks): string {
  const { container } = command;
  const user = becoming(host, command);
  const shell =
    user === undefined
      ? `${quote(SHELL)} ${quote(text)}`
      : `${quote(`${refuseUnknown(user, mark)}; ${SHELL_OF}`)} ${quote(text)} ${user}`;
  const pct =
    container === undefined ? undefined : `pct exec ${container} --keep-env 0 -- env PSM_RUN=${cookie} sh -c ${shell}`;
  const up = `printf '%s up %s\\n' ${mark} "$$" >&2; `;
  if (!needsSudo(host, command)) {
    if (pct !== undefined) return `export PSM_RUN=${cookie}; ${up}exec ${pct}`;
    return user === undefined ? text : `export PSM_RUN=${cookie}; exec sh -c ${shell}`;
  }
  // sudo clears the environment, so the cookie is set on both sides of it: its own process has to be found as well.
  // It prints %% as %, so a shell that shows the line it runs (set -x) shows no prompt, and gets no password.
  const asking = prompt.replace('%', '%%');
  const other = pct === undefined && command.user !== undefined ? `-H -u ${command.user} ` : '';
  const elevated = `export PSM_RUN=${cookie}; exec sudo -S -p ${asking} ${other}-- env PSM_RUN=${cookie} sh -c`;
  if (pct !== undefined) return `${elevated} ${quote(`${up}exec "$0" "$@"`)} ${pct}`;
  if (other !== '') return `${elevated} ${quote(`${up}${SHELL}`)} ${quote(text)}`;
  return `${elevated} ${quote(`${up}exec "\${SHELL:-/bin/sh}" -c "$0"`)} ${quote(text)}`;
}
