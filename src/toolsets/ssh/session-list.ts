import { answer, type Facts, remote } from '../../present/answer.ts';
import type { Session } from '../../ssh/session.ts';
import { count, duration } from '../format.ts';
import { defineSshTool } from '../tool.ts';
import { stateOf } from './session-told.ts';

const row = (session: Session): Facts => ({
  session: session.id,
  target: session.plan.target,
  name: session.plan.name,
  state: stateOf(session),
  cwd: session.cwd === undefined ? undefined : remote(session.cwd),
  unused_for: session.state === 'idle' ? duration((Date.now() - session.usedAt) / 1000) : undefined,
  unread_bytes: (session.untold?.unread.bytes ?? 0) + session.strays.bytes || undefined,
});

export default defineSshTool({
  name: 'ssh_session_list',
  title: 'List sessions',
  effect: 'read',
  summary:
    'Sessions of this server: target, directory, what they run, for how long unused; ended or lost ones too, ' +
    'until they are closed.',
  search: 'open shells terminals connections active running idle state',
  input: {},

  async run(_, { ssh }) {
    const sessions = ssh.sessions.list();
    return answer(count(sessions.length, 'session'), { sessions: sessions.map(row) });
  },
});
