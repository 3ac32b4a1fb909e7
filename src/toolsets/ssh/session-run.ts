import { z } from 'zod';
import { wholeLines } from '../../ssh/lines.ts';
import { count, onOneLine } from '../format.ts';
import { script, session, stdin, timeoutSeconds } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { noSending } from '../vm/session.ts';
import { alarmFor } from './alarm.ts';
import { refuseKeyboard } from './keyboard.ts';
import { placed } from './placed.ts';
import { guestsOf, sessionPlace, toldRun } from './session-told.ts';

const input = {
  session,
  script,
  stdin: stdin.optional(),
  timeout_s: timeoutSeconds.optional(),
  wait_s: z.number().int().min(0).max(600).optional().describe('After so many seconds it goes on without this call.'),
  interactive: z.boolean().optional().describe('ssh_session_send writes to its stdin; waits 2 s by default.'),
};
type RunInput = z.infer<z.ZodObject<typeof input>>;

const INTERACTIVE_WAIT_MS = 2_000;
const MOST_MS = 24 * 3600_000;

/** How long a call waits for a script before that goes on alone, and how long it may run: a timeout alone is waited for. */
function limitsOf({ timeout_s, wait_s, interactive }: RunInput, { commandTimeoutMs }: ToolContext['setup']) {
  const usual = timeout_s === undefined ? commandTimeoutMs : Number.POSITIVE_INFINITY;
  return {
    waitMs: wait_s === undefined ? (interactive ? INTERACTIVE_WAIT_MS : usual) : wait_s * 1000,
    timeoutMs: timeout_s === undefined ? MOST_MS : timeout_s * 1000,
  };
}

/** The host of a container, and what turns it off, cannot be reached from inside. */
const inContainer = (target: string | undefined): boolean => /^ct\//.test(target ?? '');

export default defineSshTool({
  name: 'ssh_session_run',
  title: 'Run a script in a session',
  effect: 'execute',
  summary:
    'Run a shell script in the shell of a session, where the last one left it. One at a time, in order; its stdin ' +
    'is empty unless given. At the timeout it is stopped and the session kept.',
  search: 'command execute bash terminal interactive python mysql repl prompt stateful',
  input,
  touches: guestsOf,
  alarm({ session, script, stdin }, context) {
    const known = context?.ssh.sessions.peek(session);
    return alarmFor({ script, stdin, cwd: known?.cwd }, inContainer(known?.plan.target));
  },

  commands: (input, context) => placed(input, context, () => sessionPlace(input.session, context)),

  async confirm({ session: id, script, stdin }, { ssh }) {
    const session = ssh.sessions.find(id);
    const lines = [
      `Run on ${session.title}, in ${onOneLine(session.cwd ?? 'its directory')}:`,
      ...(stdin === undefined ? [] : [`with ${count(stdin.length, 'character')} of input: ${onOneLine(stdin)}`]),
      script,
    ];
    return { message: lines.join('\n'), state: { session: session.id, cwd: session.cwd } };
  },

  async run(given, { ssh, setup, signal, progress }) {
    const { session: id, script, stdin, interactive = false, timeout_s, wait_s } = given;
    const session = ssh.sessions.find(id);
    if (interactive && /^vm\//.test(session.plan.target)) throw noSending(session.plan.label);
    if (!interactive) refuseKeyboard({ script, stdin, timeout_s, wait_s });
    const limits = limitsOf(given, setup);
    const onOutput = wholeLines(progress);
    const command = await session.run({ script, stdin, interactive, ...limits, signal, onOutput });
    return toldRun(session, command, limits.timeoutMs);
  },
});
