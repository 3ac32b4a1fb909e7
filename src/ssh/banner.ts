import type { Duplex } from 'node:stream';
import { Failure } from '../failure.ts';
import type { HostSpec } from './client.ts';

/** What a server said before its SSH identification line (RFC 4253, 4.2). */
export interface Banner {
  /** The identification line came whole. */
  readonly complete: boolean;
  /** Why there is no SSH to be had, from what was said so far; `closed` when no more can come. */
  failure(closed: boolean, cause?: unknown): Failure;
}

const MAX_KEPT = 65_536;
const SHOWN = 80;

/** Reads along until the identification line is there; `foreign` is called as soon as it can never come. */
export function watchBanner(host: HostSpec, stream: Duplex, foreign: () => void): Banner {
  let head = '';
  let complete = false;
  const listen = (chunk: Buffer) => {
    head = (head + chunk.toString('latin1')).slice(0, MAX_KEPT);
    complete = /^SSH-[^\n]*\n/m.test(head);
    if (complete || head.length === MAX_KEPT) stream.off('data', listen);
    if (head.startsWith('HTTP/')) foreign();
  };
  // Paused, because a listener would start the flow before ssh2 listens; ssh2 resumes it.
  stream.pause();
  stream.on('data', listen);
  return {
    get complete() {
      return complete;
    },
    failure: (closed, cause) => bannerFailure(host, head, closed, cause),
  };
}

/** The other side ended a connection without a word. */
export const hungUp = (host: HostSpec, cause?: unknown): Failure =>
  new Failure(
    'unreachable',
    `${host.name} (${host.address}:${host.port}) closed the connection before it said anything.`,
    'The host may have shut this address out (fail2ban, hosts.deny, MaxStartups); its sshd log says.',
    { cause },
  );

function bannerFailure(host: HostSpec, head: string, closed: boolean, cause: unknown): Failure {
  const place = `${host.name} (${host.address}:${host.port})`;
  const checkPort = 'Check the port: sshd listens on 22 unless its configuration says otherwise.';
  if (head === '') {
    return closed
      ? hungUp(host, cause)
      : new Failure(
          'timeout',
          `${place} took the connection and said nothing.`,
          `${checkPort} The host may be overloaded.`,
          {
            cause,
          },
        );
  }
  const shown = `"${visible(head.slice(0, SHOWN))}"${head.length > SHOWN ? '…' : ''}`;
  if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(head)) {
    const cure = 'sshd turns away too many unfinished or refused logins for a while. Wait a minute and call again.';
    return new Failure('busy', `${place} turned the connection away: ${shown}.`, cure, { cause });
  }
  if (head.startsWith('SSH-')) {
    const text = `${place} began an SSH greeting and did not finish it: ${shown}.`;
    return new Failure(closed ? 'unreachable' : 'timeout', text, checkPort, { cause });
  }
  return new Failure('misconfigured', `${place} answered, but not with SSH: ${shown}.`, checkPort, { cause });
}

/** Printable ASCII as it is, everything else as an escape. */
function visible(text: string): string {
  const named: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\' };
  return text.replace(/[^ -[\]-~]/g, (char) => named[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
