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
/** ssh2 gives up at a line that is longer. */
const LONGEST_LINE = 8_192;
const SHOWN = 80;

/**
 * Reads along until the identification line is there; `foreign` is called as soon as it can never come. Until then
 * nothing is passed on: of a greeting in three pieces or more, ssh2 keeps the first and the last.
 */
export function watchBanner(host: HostSpec, stream: Duplex, foreign: () => void): Banner {
  const held: Buffer[] = [];
  let head = '';
  let complete = false;
  /** Takes a piece; whether more may come before it is passed on. */
  const take = (piece: Buffer): boolean => {
    held.push(piece);
    head = (head + piece.toString('latin1')).slice(0, MAX_KEPT);
    complete = /^SSH-[^\n]*\n/m.test(head);
    if (head.startsWith('HTTP/')) queueMicrotask(foreign);
    return !complete && head.length < MAX_KEPT && head.length - head.lastIndexOf('\n') <= LONGEST_LINE;
  };
  const early: Buffer | null = stream.read();
  if (early && !take(early)) stream.unshift(early);
  else {
    const push = stream.push.bind(stream);
    stream.push = (piece: Buffer | null) => {
      if (piece !== null && take(piece)) return true;
      Reflect.deleteProperty(stream, 'push');
      const more = held.length === 0 || push(Buffer.concat(held));
      return piece === null ? push(null) : more;
    };
  }
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
  const said = visible(head.slice(0, SHOWN));
  const shown = `"${said}"${head.length > SHOWN ? '…' : ''}`;
  if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(head)) {
    const cure = 'sshd turns away too many unfinished or refused logins for a while. Wait a minute and call again.';
    return new Failure('busy', `${place} turned the connection away: ${shown}.`, cure, { cause, said });
  }
  if (head.startsWith('SSH-') || 'SSH-'.startsWith(head)) {
    const text = `${place} began an SSH greeting and did not finish it: ${shown}.`;
    return new Failure(closed ? 'unreachable' : 'timeout', text, checkPort, { cause, said });
  }
  return new Failure('misconfigured', `${place} answered, but not with SSH: ${shown}.`, checkPort, { cause, said });
}

/** Printable ASCII as it is, everything else as an escape. */
function visible(text: string): string {
  const named: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\' };
  return text.replace(/[^ -[\]-~]/g, (char) => named[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
