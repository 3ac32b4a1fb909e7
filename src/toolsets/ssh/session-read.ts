import { z } from 'zod';
import { waitFor } from '../../ssh/session-read.ts';
import { session } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { toldNews } from './session-told.ts';

export default defineSshTool({
  name: 'ssh_session_read',
  title: 'Read what a session says',
  effect: 'read',
  summary:
    'What a script that goes on in a session, and what earlier ones left in the background, has said since the ' +
    'last read; and its end.',
  search: 'output poll wait until follow prompt expect progress exit code status stdout',
  input: {
    session,
    wait_s: z.number().int().min(0).max(60).default(0).describe('Seconds to wait, up to 60.'),
    until: z.string().min(1).max(200).optional().describe('Wait for this text, such as a prompt.'),
  },

  async run({ session: id, wait_s, until }, { ssh, signal }) {
    const session = ssh.sessions.find(id);
    const found = await waitFor(session, { waitMs: wait_s * 1000, until, signal });
    return toldNews(session, until === undefined ? undefined : found);
  },
});
