import { Socket } from 'node:net';
import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../failure.ts';
import { attempt, type Deadlines } from './attempt.ts';
import { hungUp } from './banner.ts';
import type { HostSpec } from './client.ts';
import { inOnePiece } from './onepiece.ts';

const place = (host: HostSpec) => `${host.address}:${host.port}`;

/** A TCP connection to the host, without Nagle's delay (it costs 40 ms on every command). */
export function dial(host: HostSpec, deadlines: Deadlines): Promise<Socket> {
  const socket = new Socket();
  socket.setNoDelay(true);
  return attempt(
    `Connecting to ${host.name}`,
    deadlines,
    () => socket.destroy(),
    ({ stage, done, fail }) => {
      stage(() => noAnswer(host));
      // Never taken off: an error that comes after the first one must find a listener.
      socket.on('error', (error: NodeJS.ErrnoException) => fail(tcpFailure(host, error)));
      socket.once('connect', () => done(inOnePiece(socket)));
      socket.connect({ host: host.address, port: host.port });
    },
  );
}

const noAnswer = (host: HostSpec, cause?: unknown) =>
  new Failure(
    'timeout',
    `${host.name} did not answer at ${place(host)}.`,
    'Check the address, that the host is up, and that no firewall drops the port.',
    { cause },
  );

function tcpFailure(host: HostSpec, cause: NodeJS.ErrnoException): Failure {
  const fail = (text: string, cure: string) => new Failure('unreachable', text, cure, { cause });
  switch (cause.code) {
    case 'ECONNREFUSED':
      return fail(
        `${host.name} refused the connection to ${place(host)}: nothing listens there.`,
        'Check the address and the port, and on the host that sshd runs: systemctl status ssh',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail(
        `The address of ${host.name}, ${host.address}, could not be resolved (${cause.code}).`,
        'Check the spelling and the DNS, or give an IP address.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fail(
        `There is no route to ${host.name} at ${place(host)} (${cause.code}).`,
        'Check the address, the network and the VPN, and that the host is up.',
      );
    case 'ECONNRESET':
      return hungUp(host, cause);
    case 'ETIMEDOUT':
      return noAnswer(host, cause);
    default:
      return fail(`The connection to ${host.name} at ${place(host)} failed: ${cause.message}.`, 'Check the network.');
  }
}

/** A stream to the host through a hop's SSH connection. */
export function forward(hop: HostSpec, through: Client, host: HostSpec, deadlines: Deadlines): Promise<ClientChannel> {
  let given = true;
  return attempt(
    `Connecting to ${host.name}`,
    deadlines,
    () => (given = false),
    ({ stage, done, fail }) => {
      stage(
        () =>
          new Failure(
            'timeout',
            `${hop.name} did not reach ${host.name} at ${place(host)} in time.`,
            reachCure(hop, host),
          ),
      );
      try {
        through.forwardOut('127.0.0.1', 0, host.address, host.port, (error, channel) => {
          if (error) return fail(forwardFailure(hop, host, error));
          channel.on('error', () => {});
          if (given) done(channel);
          else channel.destroy();
        });
      } catch (error) {
        fail(forwardFailure(hop, host, error as Error));
      }
    },
  );
}

const reachCure = (hop: HostSpec, host: HostSpec) =>
  `Check on ${hop.name} that ${place(host)} answers: ssh -J is worth a try by hand.`;

/** Reason 1 is administratively prohibited, 2 is connect failed (RFC 4254, 5.1). */
function forwardFailure(hop: HostSpec, host: HostSpec, cause: Error & { reason?: number | string }): Failure {
  const detail = cause.message.replace('(SSH) Channel open failure: ', '');
  if (cause.reason === 1) {
    const text = `${hop.name} does not allow a connection through it to ${host.name} (${place(host)}): ${detail}.`;
    return new Failure(
      'permission',
      text,
      `Set "AllowTcpForwarding yes" in the sshd_config of ${hop.name}, or reach ${host.name} in another way.`,
      { cause, said: detail },
    );
  }
  const text = `${hop.name} could not connect to ${host.name} at ${place(host)}: ${detail}.`;
  return new Failure('unreachable', text, reachCure(hop, host), { cause, said: detail });
}
