import { readFileSync } from 'node:fs';
import { Approvals, type WaitingQuestion } from '../approvals.ts';
import { asFailure, Failure } from '../failure.ts';
import { visible, visibleLine } from '../present/visible.ts';
import { calledAs } from './claude.ts';
import { loadHere } from './surroundings.ts';
import { agreed, interactive, say, warn } from './terminal.ts';

/** Lists what waits for a yes, or answers one question: on a terminal, after it was shown. */
export async function approve(id: string | undefined, deny: boolean): Promise<void> {
  try {
    const { approvals: place } = loadHere({});
    const approvals = new Approvals(place, [], process.getuid?.());
    const waiting = approvals.list();
    if (id === undefined) return list(waiting);
    const question = waiting.find((one) => one.id === id);
    if (question === undefined) throw none(id);
    if (deny) return settle(approvals, question, false);
    refuseUnattended();
    say(`${titleOf(question)}\n`);
    say(indented(question.message));
    say('');
    settle(approvals, question, await agreed('Let it run, once?'));
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  }
}

function settle(approvals: Approvals, question: WaitingQuestion, yes: boolean): void {
  if (Date.now() > question.until || !approvals.list().some(({ id }) => id === question.id)) throw none(question.id);
  approvals.answer(question, yes);
  say(yes ? 'Approved: it runs when the client calls it again.' : 'Denied.');
}

/** Every line set off, so that none of it can pass for one of ours. */
const indented = (text: string): string => visible(text).replace(/^/gm, '  | ');

const age = ({ asked }: WaitingQuestion): string => `${Math.max(0, Math.round((Date.now() - asked) / 1000))} s ago`;

const titleOf = (question: WaitingQuestion): string =>
  visibleLine([question.id, age(question), question.tool, question.about].filter(Boolean).join('  '));

function list(waiting: readonly WaitingQuestion[]): void {
  if (waiting.length === 0) say('Nothing waits for an answer.');
  for (const question of waiting.toSorted((a, b) => a.asked - b.asked)) {
    say(titleOf(question));
    say(indented(question.message.split('\n')[0] ?? ''));
  }
  if (waiting.length > 0) say(`Answer one with: ${calledAs()} approve ID`);
}

const none = (id: string): Failure =>
  new Failure('not-found', `Nothing waits under ${visibleLine(id)}.`, 'It is answered, too old, or was never asked.');

/** Somebody has to sit there; a command that this program itself runs on its own machine has nobody. */
function refuseUnattended(): void {
  if (!interactive()) {
    throw new Failure(
      'refused',
      'There is no terminal to ask on.',
      'Run it where you can see the question, without a pipe.',
    );
  }
  if (!startedByUs()) return;
  throw new Failure(
    'refused',
    'This terminal was opened by a command of this server.',
    'Answer in a terminal that you opened yourself.',
  );
}

/** Whether this process or one that it descends from carries the mark of our commands (Linux only). */
function startedByUs(): boolean {
  try {
    for (let pid = process.pid; pid > 1; ) {
      if (pid !== process.pid && /(^|\0)PSM_RUN=/.test(environmentOf(pid))) return true;
      pid = Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? 0);
    }
  } catch {
    // Where there is no /proc, or the ancestor is another user's.
  }
  return process.env.PSM_RUN !== undefined;
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}
