import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Session } from '../../ssh/session.ts';
import type { SessionCommand } from '../../ssh/session-command.ts';
import { waitFor } from '../../ssh/session-read.ts';
import { session } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { placed } from './placed.ts';
import { guestsOf, sessionPlace, toldNews } from './session-told.ts';

const keys = ['ctrl-c', 'ctrl-d'] as const;

export default defineSshTool({
  name: 'ssh_session_send',
  title: 'Send input to a session',
  effect: 'execute',
  summary:
    'Write text to what runs in a session (ssh_session_run with interactive), or press ctrl-c (interrupts any script) or ' +
    'ctrl-d (ends its input). There is no terminal: no echo, full screens, password prompts or arrow keys.',
  search: 'keyboard type stdin answer prompt interrupt abort eof repl expect',
  input: {
    session,
    text: z.string().max(65_536).optional().describe('What to write.'),
    newline: z.boolean().default(true).describe('End the text with a newline.'),
    key: z.enum(keys).optional().describe('Pressed after the text.'),
    wait_s: z.number().int().min(0).max(60).default(1).describe('Seconds to wait, up to 60.'),
  },
  touches: guestsOf,
  alarm({ session, text = '' }, context) {
    const known = context?.ssh.sessions.peek(session);
    return alarmFor({ script: text, cwd: known?.cwd }, /^ct\//.test(known?.plan.target ?? ''));
  },

  commands: async ({ session, text }, context) =>
    text ? placed({ script: text, opaque: true }, context, () => sessionPlace(session, context)) : [],

  async confirm({ session: id, text, key }, { ssh }) {
    const session = ssh.sessions.find(id);
    const command = session.command?.label ?? 'nothing';
    const where = `${session.title}, which runs ${command}`;
    // The key comes first: behind a text of many lines it could be one of them.
    const message = text
      ? `Send to ${where}${key === undefined ? '' : `, and then press ${key}`}:\n${text}`
      : `Press ${key ?? 'nothing'} in ${where}.`;
    return { message, state: { session: session.id, command } };
  },

  async run({ session: id, text, newline, key, wait_s }, { ssh, signal }) {
    const session = ssh.sessions.find(id);
    const command = running(session, text !== undefined || key === 'ctrl-d');
    if (text !== undefined) command.inlet?.write(Buffer.from(newline ? `${text}\n` : text));
    if (key === 'ctrl-d') command.inlet?.end();
    if (key === 'ctrl-c')
      await (command.interactive ? session.interrupt(command) : session.stop(command, 'interrupted'));
    await waitFor(session, { waitMs: wait_s * 1000, signal });
    return toldNews(session, undefined);
  },
});

/** The script that runs; a `conflict` when there is none, or it does not read what is sent. */
function running(session: Session, reads: boolean): SessionCommand {
  const { command } = session;
  if (!command) {
    throw new Failure(
      'conflict',
      `Nothing runs on ${session.title}${session.ended === undefined ? '' : `: it ${session.ended}`}.`,
      'ssh_session_run with interactive starts what reads input; a script itself needs no sending.',
    );
  }
  if (reads && !command.interactive) {
    throw new Failure(
      'conflict',
      `What runs on ${session.title}, ${command.label}, was not started to read what is sent.`,
      'Press ctrl-c to end it, and start it again by ssh_session_run with interactive.',
    );
  }
  return command;
}
