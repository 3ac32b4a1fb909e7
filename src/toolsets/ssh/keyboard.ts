import { Failure } from '../../failure.ts';
import { type Call, callsOf } from './keyboard/calls.ts';
import { editors } from './keyboard/editors.ts';
import { endless } from './keyboard/endless.ts';
import { packages } from './keyboard/packages.ts';
import { passwords } from './keyboard/passwords.ts';
import { questions } from './keyboard/questions.ts';
import { screens } from './keyboard/screens.ts';
import { readScript } from './keyboard/script.ts';
import { shells } from './keyboard/shells.ts';
import { isSuch, type Need, type Waiting } from './keyboard/waiting.ts';

/*
 * A courtesy, no guard: it knows how programs that need somebody at a keyboard are usually started, and says what to run
 * instead. What it is not sure of it lets pass, because a command that waits in vain is ended by its timeout.
 */

/** A command as a caller gives it. `timeout_s`, `wait_s` and `detach` say that it may run for long. */
export interface Unattended {
  readonly script: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly force?: boolean;
  readonly timeout_s?: number;
  readonly wait_s?: number;
  readonly detach?: boolean;
}

/** `invalid-input` for a command that would wait for a keyboard or never end, with the form that works. */
export function refuseKeyboard(command: Unattended): void {
  if (command.force) return;
  const found = waitingIn(command);
  if (!found) return;
  const { row, call } = found;
  throw new Failure('invalid-input', `${shown(call)} ${reason[row.needs]}, so nothing was run.`, cure(row));
}

/** Beyond this it is no command that somebody typed by habit. */
const LONGEST = 64 * 1024;

const table: readonly Waiting[] = [
  ...editors,
  ...screens,
  ...shells,
  ...passwords,
  ...questions,
  ...packages,
  ...endless,
];

function waitingIn(command: Unattended): { readonly row: Waiting; readonly call: Call } | undefined {
  const { script, stdin } = command;
  if (script.length > LONGEST || minds(script)) return undefined;
  const concerns = concernsOf(command);
  const rows = new Map<string, readonly Waiting[]>();
  const rowsOf = (program: string): readonly Waiting[] => {
    const known = rows.get(program) ?? table.filter(({ programs }) => programs.test(program));
    rows.set(program, known);
    return known;
  };
  for (const call of callsOf(readScript(script, stdin !== undefined))) {
    const row = rowsOf(call.program).find((one) => concerns[one.needs](call) && isSuch(one, call));
    if (row) return { row, call };
  }
  return undefined;
}

/** Whether the script itself looks for a terminal: then it knows what to do without one. */
const minds = (script: string): boolean => /\[\s+(!\s+)?-t\s+[012]\b|\btest\s+-t\s|\btty\s+-s\b/.test(script);

/** Which needs are needs here: standard input may hold the answers, an editor may be a program, time may be given. */
function concernsOf({ script, env = {}, timeout_s, wait_s, detach }: Unattended) {
  const set = `${script}\n${Object.keys(env).map((name) => `${name}=`)}`;
  const editorIsSet = /\b([A-Z_]*EDITOR|VISUAL)=|\b(core|sequence)\.editor\b/.test(set);
  const debconfIsSet = /\bDEBIAN_FRONTEND=/.test(set);
  const mayBeLong = timeout_s !== undefined || wait_s !== undefined || detach === true;
  return {
    screen: () => true,
    editor: () => !editorIsSet,
    answer: ({ fed, program }: Call) => !fed && !(debconfIsSet && program === 'dpkg-reconfigure'),
    end: ({ bounded, background, sinks }: Call) => !(mayBeLong || bounded || background) && sinks.every(passes),
  } satisfies Record<Need, (call: Call) => boolean>;
}

/** Whether what is written into the program never makes it end. */
function passes([first, ...words]: Call['args']): boolean {
  const program = first?.text ?? '';
  const args = words.map(({ text }) => text);
  if (/^(e|f|z)?grep$|^rg$/.test(program))
    return !args.some((one) => /^-\w*[mqlL]|^--(max-count|quiet|files-with)/.test(one));
  if (program === 'sed') return !args.some((one) => /q\s*[;}]?\s*$|\bq\b/.test(one));
  if (/^[gm]?awk$/.test(program)) return !args.some((one) => one.includes('exit'));
  return /^(tee|cat|cut|tr|sort|uniq|jq|less|more|ts|nl|fold|column|ccze|bat)$/.test(program);
}

const reason: Readonly<Record<Need, string>> = {
  screen: 'needs a terminal to draw on, and commands run without one',
  answer: 'would wait for what somebody types, and nobody sits at a keyboard here',
  editor: 'would open an editor, and nobody sits at a keyboard here',
  end: 'does not end by itself',
};

const cure = ({ form, needs }: Waiting): string =>
  `${form}${needs === 'end' ? ' Or say how long it may run: timeout_s, wait_s or detach.' : ''} With force: true it is run all the same.`;

const MOST_SHOWN = 60;

function shown({ program, args }: Call): string {
  const text = [program, ...args.map((one) => one.text)].join(' ').replace(/\s+/g, ' ');
  return `"${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 1)}…` : text}"`;
}
