import { Failure } from '../failure.ts';
import type { Facts } from '../present/answer.ts';
import type { Command, HostSpec } from './client.ts';
import type { Ending } from './ending.ts';
import type { Output } from './output.ts';
import { noUser, sudoRefusal } from './sudo.ts';
import type { Talk } from './talk.ts';

/** Why the command was not run, when it ended before it began. */
export function neverRan(host: HostSpec, command: Command, talk: Talk, output: Output, end: Ending): Failure {
  if (!talk.up) return sudoRefusal(host, command, talk, output.stderr);
  const facts = { ...output, exit_code: end.exitCode, signal: end.signal };
  if (talk.noDirectory) return noDirectory(host, command, facts);
  const { user } = command;
  if (talk.noUser && user !== undefined) return noUser(user, placeOf(host, command));
  if (user !== undefined && /\bsu: /.test(output.stderr.text)) return suRefusal(user, placeOf(host, command), facts);
  if (command.container !== undefined) return containerRefusal(host, command.container, output.stderr.text, facts);
  return new Failure(
    'remote-error',
    `${host.name} did not run the command: what it starts for ${host.user} ended first.`,
    'The login needs bash, dash, zsh or another POSIX shell, and no forced command for its key.',
    { facts },
  );
}

const placeOf = (host: HostSpec, { container }: Command): string =>
  container === undefined ? host.name : `Container ${container}`;

const suRefusal = (user: string, place: string, facts: Facts): Failure =>
  new Failure(
    'permission',
    `su on ${place} did not make root the user ${user}, so the command was not run.`,
    'What it said is in stderr; the account may be locked or expired, or there is no su.',
    { facts },
  );

function noDirectory(host: HostSpec, command: Command, facts: Facts): Failure {
  return new Failure(
    'not-found',
    `${placeOf(host, command)} has no directory ${command.cwd} that can be entered, so the command was not run.`,
    'Correct the directory, or leave it out to run in the home directory.',
    { facts },
  );
}

/** pct's own messages, as Proxmox VE 8 and 9 have them. Its exit codes mean nothing (2, 29, 255). */
function containerRefusal(host: HostSpec, vmid: number, said: string, facts: Facts): Failure {
  const fail = (kind: Failure['kind'], message: string, hint: string) => new Failure(kind, message, hint, { facts });
  if (/pct: (command )?not found|not found: pct/.test(said)) {
    return fail(
      'misconfigured',
      `${host.name} has no pct: it is not a Proxmox VE node.`,
      'Name the node that runs the container, as pve_guest_list shows it.',
    );
  }
  if (/not running/.test(said)) {
    return fail(
      'conflict',
      `Container ${vmid} is not running.`,
      `Start it with pve_guest_power (guest ${vmid}, action start), then call again.`,
    );
  }
  if (/does not exist/.test(said)) {
    return fail(
      'not-found',
      `There is no container ${vmid} on ${host.name}.`,
      'pve_guest_list shows every container with its node; it may have moved.',
    );
  }
  if (/run as root/.test(said)) {
    return fail(
      'permission',
      `pct on ${host.name} must be run as root.`,
      `Log in as root, or give ${host.user} sudo rights.`,
    );
  }
  return fail(
    'remote-error',
    `pct on ${host.name} did not start the command in container ${vmid}.`,
    'What it said is in stderr; the container needs sh and env.',
  );
}
