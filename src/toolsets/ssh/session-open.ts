import { z } from 'zod';
import { answer, remote } from '../../present/answer.ts';
import { cwd, env, runAs, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { vmSessionRefusal } from '../vm/session.ts';
import { placeOf, targetOf } from './place.ts';

export default defineSshTool({
  name: 'ssh_session_open',
  title: 'Open a session',
  effect: 'change',
  summary:
    'Start a shell that stays, on a host or in a container: directory, variables and functions last from one ' +
    'ssh_session_run to the next. For single commands use ssh_exec. Closed when unused for 30 min.',
  search: 'interactive terminal bash persistent state login connect stateful cd export',
  input: {
    target: target.optional(),
    cwd: cwd.optional(),
    env: env.optional(),
    user: runAs.optional(),
    sudo: z.boolean().optional().describe('As root, by sudo.'),
    name: z.string().min(1).max(40).optional().describe('What to call it.'),
  },

  async run({ target, name, ...where }, context) {
    const place = await placeOf(target, context);
    if ('guest' in place) throw vmSessionRefusal(place);
    const { label, host, container } = place;
    const opening = { target: targetOf(place), label, name, host: host.spec.name };
    const session = await context.ssh.sessions.openOn(host.spec, { ...where, container }, opening, context.signal);
    return answer(`session ${session.id} is open on ${label}`, {
      session: session.id,
      target: opening.target,
      name,
      cwd: session.cwd === undefined ? undefined : remote(session.cwd),
    });
  },
});
