import { Failure } from '../../failure.ts';
import { remote } from '../../present/answer.ts';
import { MOST_BYTES } from './log-reading.ts';

/** What came of a look at a log. */
export interface LogFound {
  /** What the host said before the log, by its first word; a link's place or a source is the rest. */
  readonly said: ReadonlyMap<string, string>;
  /** Oldest first, without the line that says whether there are more. */
  readonly lines: readonly string[];
  /** There is at least one more line, or one more that matches. */
  readonly more: boolean;
  /** Lines that were looked at for those that match. */
  readonly looked?: number;
  /** Exit code of the program that told the log. */
  readonly status: number;
}

/** What the script reads where there is no journal; it is told as it is, so the host may not choose other words. */
const sourceOf = (said: string): string =>
  /^(none|dmesg|logread|\/var\/log\/(syslog|messages))$/.test(said) ? said : 'log';

/** Lines of journalctl about itself. */
const ABOUT = /^-- (No entries|Journal begins|Logs begin)/;

/** Reads what the script of logs printed; `numbered` when each line begins with its number. */
export function logFound(text: string, mark: string, most: number, numbered: boolean): LogFound {
  const all = text.split('\n');
  const start = all.indexOf(`${mark} text`);
  const said = new Map<string, string>();
  for (const line of start < 0 ? all : all.slice(0, start)) {
    const [, word = '', rest = ''] = new RegExp(`^${mark} (\\w+)(?: (.*))?$`).exec(line) ?? [];
    if (word !== '') said.set(word, word === 'source' ? sourceOf(rest.trim()) : rest.trim());
  }
  const body = start < 0 ? [] : all.slice(start + 1);
  const at = body.findLastIndex((line) => new RegExp(`^(\\d+:)?${mark} end \\d+$`).test(line));
  const [, number, status = '1'] = /^(?:(\d+):)?\w+ end (\d+)$/.exec(body[at] ?? '') ?? [];
  const journal = said.has('journal') && !said.has('source');
  // What was cut to so many bytes may begin in the middle of a line.
  const cut = Buffer.byteLength(body.join('\n')) >= MOST_BYTES;
  const lines = body
    .slice(cut ? 1 : 0, Math.max(0, at))
    .map((line) => (numbered ? line.replace(/^\d+:/, '') : line))
    .filter((line) => !(journal && ABOUT.test(line)));
  return {
    said,
    lines: lines.slice(-most),
    more: cut || lines.length > most,
    looked: number === undefined ? undefined : Number(number) - 1,
    status: Number(status),
  };
}

/** Names of what is no regular file, as stat has them. */
const kindOf = (said: string): string => (/^[a-z ]{3,30}$/.test(said) ? said : 'something else');

/** Why there is no log, as a Failure with its cure; undefined when there is one. */
export function logRefusal({ said }: LogFound, file: string, label: string, asRoot: string): Failure | undefined {
  const no = (kind: Failure['kind'], message: string, hint: string, why?: string) =>
    new Failure(kind, message, hint, { facts: why === undefined ? {} : { said: remote(why) } });
  const pattern = said.get('pattern');
  if (pattern !== undefined) {
    return no(
      'invalid-input',
      'grep takes no such pattern.',
      'It is an extended regular expression: put a backslash before ( [ { * + ? to find them.',
      pattern,
    );
  }
  if (said.get('journal') === 'denied')
    return no(
      'permission',
      `The journal of ${label} may not be read by this login.`,
      `${asRoot}, or put the login into the group systemd-journal.`,
    );
  if (said.get('source') === 'none')
    return no(
      'not-found',
      `${label} has no journal, no syslog file and no logread.`,
      'Name a file: file. ssh_file_list shows what is in /var/log.',
    );
  const name = said.get('source') ?? file;
  if (said.has('absent'))
    return no(
      'not-found',
      `${label} has no file ${name} that this login can see.`,
      'ssh_file_list shows what is in a folder; sudo looks as root.',
    );
  if (said.has('system'))
    return no(
      'invalid-input',
      `${name} leads to the kernel's own files, which are no logs.`,
      'kernel: true shows what the kernel logged; ssh_file_read reads such a file.',
    );
  const kind = said.get('kind');
  if (kind !== undefined)
    return no(
      'invalid-input',
      `${name} on ${label} is no regular file: ${kindOf(kind)}.`,
      'Name a file; ssh_file_list shows what is in a folder.',
    );
  if (said.has('denied'))
    return no(
      'permission',
      `${name} on ${label} may not be read by this login.`,
      `${asRoot}, or put the login into the group adm.`,
    );
  if (said.has('binary')) return binary(name, label);
  return undefined;
}

export const binary = (file: string, label: string): Failure =>
  new Failure(
    'invalid-input',
    `${file} on ${label} is binary: it has no lines to show.`,
    'ssh_file_download fetches it.',
  );
