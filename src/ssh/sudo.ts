import { Failure } from '../failure.ts';
import { RemoteText } from '../present/answer.ts';
import type { Command, HostSpec } from './client.ts';
import type { Talk } from './talk.ts';

/** Why sudo did not let us in, when the command ended before it did. `stderr` is what sudo and the shell said. */
export function sudoRefusal(host: HostSpec, { user }: Command, talk: Talk, stderr: RemoteText): Failure {
  const where = `${host.user} on ${host.name}`;
  const fail = (kind: Failure['kind'], message: string, hint: string) =>
    new Failure(kind, message, hint, { facts: { stderr: tail(stderr) } });
  const said = stderr.text;
  if (user !== undefined && /unknown user/i.test(said)) return noUser(user, host.name);
  if (/not in the sudoers|is not allowed to (execute|run)|may not run sudo/i.test(said)) {
    return fail(
      'permission',
      `sudo does not permit ${where} to run this as ${user ?? 'root'}.`,
      `As root on ${host.name}, give ${host.user} a rule in /etc/sudoers.d, or log in as root.`,
    );
  }
  if (/must have a tty|no tty present/i.test(said)) {
    return fail(
      'misconfigured',
      `sudo on ${host.name} wants a terminal (requiretty), and commands run without one.`,
      `As root on ${host.name}, add "Defaults:${host.user} !requiretty" to /etc/sudoers.d.`,
    );
  }
  if (talk.prompts === 0 && /sudo: (command )?not found|not found: sudo/i.test(said)) {
    return fail(
      'misconfigured',
      `${host.name} has no sudo.`,
      `Install it there (apt install sudo), or log in as root instead of ${host.user}.`,
    );
  }
  if (talk.prompts > 0 && !host.sudoPassword) {
    return fail(
      'authentication',
      `sudo asks for the password of ${where}, and none is configured.`,
      `Set SSH_SUDO_PASSWORD, or give ${host.user} a NOPASSWD rule in /etc/sudoers.d.`,
    );
  }
  if (talk.prompts > 1) {
    return fail('authentication', `sudo password rejected for ${where}.`, 'Correct SSH_SUDO_PASSWORD.');
  }
  return fail(
    'permission',
    `sudo did not let ${where} in, so the command was not run.`,
    'What sudo said is in stderr; try the same with sudo in a terminal.',
  );
}

export const noUser = (user: string, place: string): Failure =>
  new Failure('not-found', `${place} has no user ${user}, so the command was not run.`, 'Correct the user name.');

/** sudo is there but speaks neither of its two lines: a second factor, a network that hangs, a plugin. */
export const sudoStuck = (host: HostSpec, stderr: RemoteText): Failure =>
  new Failure(
    'authentication',
    `sudo on ${host.name} neither asked ${host.user} for the password nor let the command run within 10 s.`,
    'What it said is in stderr; a second factor needs a NOPASSWD rule for this login.',
    { facts: { stderr: tail(stderr) } },
  );

const tail = (stderr: RemoteText): RemoteText => new RemoteText(stderr.text.slice(-2000), stderr.totals);
