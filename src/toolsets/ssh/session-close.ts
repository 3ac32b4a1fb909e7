import { answer } from '../../present/answer.ts';
import { session } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { guestsOf } from './session-told.ts';

export default defineSshTool({
  name: 'ssh_session_close',
  title: 'Close a session',
  effect: 'change',
  summary:
    'End the shell of a session and the script that it runs, with all its processes. What earlier scripts left in ' +
    'the background goes on.',
  search: 'exit quit logout disconnect end terminate shell',
  input: { session },
  touches: guestsOf,

  async run({ session: id }, { ssh }) {
    const session = ssh.sessions.find(id);
    const { command } = session;
    await ssh.sessions.close(session);
    return answer(`session ${session.id} on ${session.plan.label} is closed`, {
      session: session.id,
      stopped: command?.label,
      remote_process: command?.killed?.state,
      pids: command?.killed?.pids.length ? command.killed.pids : undefined,
    });
  },
});
