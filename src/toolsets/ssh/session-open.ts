import { z } from 'zod';
import { answer, remote } from '../../present/answer.ts';
import type { Where } from '../../ssh/session-ssh.ts';
import { cwd, env, runAs, target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { VmShell } from '../vm/session.ts';
import { type Place, placeOf, targetOf } from './place.ts';
import { placed } from './placed.ts';

export default defineSshTool({
  name: 'ssh_session_open',
  title: 'Open a session',
  effect: 'change',
  summary:
    'Start a shell that stays: directory, variables and functions last from one ssh_session_run to the next (in a VM ' +
    'no background jobs). For single commands use ssh_exec. Closed when unused for 30 min.',
  search: 'interactive terminal bash persistent state login connect stateful cd export',
  input: {
    target: target.optional(),
    cwd: cwd.optional(),
    env: env.optional(),
    user: runAs.optional(),
    sudo: z.boolean().optional().describe('As root, by sudo.'),
    name: z.string().min(1).max(40).optional().describe('What to call it.'),
  },

  /** The environment is for every command that will run in it. */
  commands: async ({ target, env = {} }, context) => {
    const script = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return script.length === 0
      ? []
      : placed({ script: script.join('\n'), env }, context, () => placeOf(target, context));
  },

  async run({ target, name, ...where }, context) {
    const place = await placeOf(target, context);
    const session = await openAt(place, where, name, context);
    return answer(`session ${session.id} is open on ${place.label}`, {
      session: session.id,
      target: session.plan.target,
      name,
      cwd: session.cwd === undefined ? undefined : remote(session.cwd),
    });
  },
});

function openAt(place: Place, where: Omit<Where, 'container'>, name: string | undefined, context: ToolContext) {
  const { ssh, pve, signal } = context;
  const opening = { target: targetOf(place), label: place.label, name };
  if ('guest' in place) {
    const plan = { ...opening, host: opening.target, count: () => undefined };
    return ssh.sessions.open(plan, VmShell.make(pve, place, where), signal);
  }
  const { host, container } = place;
  return ssh.sessions.openOn(host.spec, { ...where, container }, { ...opening, host: host.spec.name }, signal);
}
