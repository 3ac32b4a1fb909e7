import { Failure, type FailureKind } from '../failure.ts';
import { denied, refusedToken } from './denial.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What was asked, of whom and as whom: what every message needs. */
export interface Asked {
  readonly method: Method;
  readonly path: string;
  /** `host:port`. */
  readonly endpoint: string;
  /** `user@realm!tokenid`. */
  readonly token?: string;
}

/** An HTTP answer. The text of an error is in the body, or, when that is empty, in the reason phrase. */
export interface Answered {
  readonly status: number;
  readonly statusText: string;
  readonly body: string;
}

/** What a server's wording means, and what to do about it. First match wins; wordings are PVE's own. */
const wordings: readonly { readonly sign: RegExp; readonly kind: FailureKind; readonly cure: string }[] = [
  {
    sign: /only root (can|may)|user != root@pam|only allowed for root@pam/i,
    kind: 'permission',
    cure: 'This is for root@pam itself: no token may do it, whatever its privileges. Do it over SSH with pct or qm.',
  },
  {
    sign: /no quorum|cluster not ready|unable to open file '\/etc\/pve\/.*Permission denied/,
    kind: 'conflict',
    cure: 'The cluster has no quorum, so nothing can be changed. Bring the other nodes back; `pvecm status` tells more.',
  },
  {
    sign: /CT is locked \(/,
    kind: 'conflict',
    cure: 'Wait until the task that holds the lock has ended. When no such task runs, the lock is a left-over: `pct unlock ID` as root on the node removes it.',
  },
  {
    sign: /VM is locked \(/,
    kind: 'conflict',
    cure: 'Wait until the task that holds the lock has ended. When no such task runs, the lock is a left-over: `qm unlock ID` as root on the node removes it.',
  },
  {
    sign: /can't lock file|can't acquire lock|cfs-lock .* error/,
    kind: 'conflict',
    cure: 'Another task works on the same thing. Wait for it to end, then try again.',
  },
  {
    sign: /detected modified configuration|checksum miss?match/,
    kind: 'conflict',
    cure: 'Somebody changed the configuration meanwhile. Read it again, then decide again.',
  },
  {
    sign: /protection mode enabled|cannot remove protected/,
    kind: 'conflict',
    cure: 'Proxmox VE protects it from removal. Whoever set that has to lift the protection first.',
  },
  {
    sign: /already exists/,
    kind: 'conflict',
    cure: 'Choose another id or name, or look at the one that is there.',
  },
  {
    sign: /already running/,
    kind: 'conflict',
    cure: 'It runs already; nothing was changed.',
  },
  {
    sign: /guest agent is not running/,
    kind: 'conflict',
    cure: 'Install qemu-guest-agent inside the VM and start it (systemctl enable --now qemu-guest-agent). In a VM that is still booting it answers a little later.',
  },
  {
    sign: /not running|is running|running container|is stopped/,
    kind: 'conflict',
    cure: 'Look at its power state and change that first.',
  },
  {
    sign: /^Configuration file '.*' does not exist|unable to find configuration file/,
    kind: 'not-found',
    cure: 'That node has no such guest: it moved, was deleted, or the number is wrong. Look the guest up again.',
  },
  {
    sign: /hostname lookup '.*' failed|no such cluster node/,
    kind: 'not-found',
    cure: 'Name a node that the cluster overview lists.',
  },
  {
    sign: /does not exist|^no such|^unable to parse worker upid/,
    kind: 'not-found',
    cure: 'Check the name; list what there is first.',
  },
  {
    sign: /No QEMU guest agent configured/,
    kind: 'conflict',
    cure: 'Enable the agent option of the VM, install qemu-guest-agent inside it, then power it off and on.',
  },
  {
    sign: /not available for|feature is not available/,
    kind: 'conflict',
    cure: 'The storage or the guest cannot do this as it is configured.',
  },
];

/** What a wording of the server means and its cure, be it of an answer or of a task's exit status; `id` may be a VMID. */
export function meaningOf(text: string, id = ''): { kind: FailureKind; cure: string } | undefined {
  const known = wordings.find(({ sign }) => sign.test(text));
  return known && { kind: known.kind, cure: /^\d+$/.test(id) ? known.cure.replaceAll('ID', id) : known.cure };
}

/** The Failure that an answer outside 200-299 stands for. */
export function failureOf(asked: Asked, answered: Answered): Failure {
  const said = readError(answered);
  const { status } = answered;
  if (status === 401) return refusedToken(asked, said.message);
  if (status === 403) return denied(asked, said.message);
  if (status >= 595 && status <= 599) return notPassedOn(asked, status, said.message);
  if (status >= 502 && status <= 504 && !said.byPve) return notPassedOn(asked, status, said.message);
  if (status === 400) return badParameters(asked, said);
  if (status === 404 || /^(Method '.*' not implemented|no such uri)/.test(said.message)) {
    return noSuchPath(asked, status, said.message);
  }
  if (status < 400) return notTheApi(asked, status, said.message);
  const known = meaningOf(said.message, placeOf(asked.path).vmid);
  return new Failure(
    known?.kind ?? 'remote-error',
    `${asked.endpoint} refused ${asked.method} ${asked.path}: ${said.message}`,
    known?.cure ?? "This is Proxmox VE's own message; the node's task list and journal may tell more.",
    { facts: { status }, said: said.message },
  );
}

interface Said {
  readonly message: string;
  readonly errors: Readonly<Record<string, string>>;
  /** Told as Proxmox VE tells errors, in JSON; not by something between it and us. */
  readonly byPve: boolean;
}

function readError({ status, statusText, body }: Answered): Said {
  const reason = oneLine(statusText) || `HTTP status ${status}`;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { message: reason, errors: {}, byPve: false };
  }
  if (typeof json !== 'object' || json === null) return { message: reason, errors: {}, byPve: false };
  const { message, errors } = json as { readonly message?: unknown; readonly errors?: unknown };
  return {
    message: typeof message === 'string' && message.trim() !== '' ? oneLine(message) : reason,
    errors: stringsOf(errors),
    byPve: typeof message === 'string',
  };
}

/** What of a server's words is looked at and told. */
const LONGEST_SAID = 4_000;

const oneLine = (text: string): string =>
  text
    .trim()
    .slice(0, LONGEST_SAID)
    .replace(/\s*\n\s*/g, ' ');

const stringsOf = (value: unknown): Record<string, string> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).map(([name, why]) => [
          name,
          oneLine(typeof why === 'string' ? why : JSON.stringify(why)),
        ]),
      )
    : {};

function badParameters(asked: Asked, { message, errors }: Said): Failure {
  const reasons = Object.entries(errors);
  const listed = reasons.map(([name, why]) => `${name}: ${why}`);
  const known = reasons.map(([, why]) => meaningOf(why)).find((meaning) => meaning !== undefined);
  return new Failure(
    known?.kind ?? 'invalid-input',
    `${asked.endpoint} did not accept the parameters of ${asked.method} ${asked.path}: ${listed.join('; ') || message}`,
    known?.cure ?? 'Correct the parameters named; nothing was changed.',
    {
      facts: { status: 400, ...(listed.length > 0 ? { parameters: errors } : {}) },
      said: listed.join('; ') || message,
    },
  );
}

const noSuchPath = (asked: Asked, status: number, message: string): Failure =>
  new Failure(
    'not-found',
    `${asked.endpoint} does not know ${asked.method} ${asked.path}: ${message}`,
    status === 404
      ? 'Proxmox VE never answers 404: check that host and port are those of its API (8006).'
      : 'This version of Proxmox VE has no such call; its API viewer lists those it has.',
    { facts: { status }, said: message },
  );

const notTheApi = (asked: Asked, status: number, message: string): Failure =>
  new Failure(
    'remote-error',
    `${asked.endpoint} answered ${asked.method} ${asked.path} with ${status} ${message}, as its API never does.`,
    'Check that host and port are those of the Proxmox VE API (8006), and that no proxy redirects.',
    { facts: { status }, said: message },
  );

/** 595-599, 502-504: the request reached a proxy that had no answer from the one behind it (recordings z-*). */
function notPassedOn(asked: Asked, status: number, message: string): Failure {
  const cause = `it answered ${status} ${message}`;
  if (asked.method !== 'GET') return unknownOutcome(asked, cause, { status }, message);
  const { node } = placeOf(asked.path);
  const slow = status === 504 || /timed out|timeout/i.test(message);
  return new Failure(
    slow ? 'timeout' : 'unreachable',
    `${asked.endpoint} answered ${status} ${message} to GET ${asked.path}: ${node ? `node ${node}` : 'the service behind it'} did not answer it.`,
    node
      ? `Check that ${node} is up and that pveproxy and pvedaemon run on it; a guest may have moved to another node.`
      : 'Check that pveproxy and pvedaemon run on the node.',
    { facts: { status, ...(node ? { node } : {}) }, said: message },
  );
}

/** A change has left, and nobody knows what became of it. `cause` is a clause that says what was seen, `said` what the server said in it. */
export function unknownOutcome(
  asked: Asked,
  cause: string,
  facts: { readonly status?: number } = {},
  said = '',
): Failure {
  const { node, guest } = placeOf(asked.path);
  const agent = /\/agent\/exec$/.test(asked.path) && /Broken pipe/.test(cause);
  const look = guest ? `the state and the newest tasks of ${guest}` : `what GET ${asked.path} tells`;
  return new Failure(
    'outcome-unknown',
    `${asked.method} ${asked.path} was sent to ${asked.endpoint}, but ${cause}. ${
      agent ? 'Most likely the guest could not start the program.' : 'Whether it took effect is unknown.'
    }`,
    `It was sent once and is not sent again. Check ${look}${node ? ` on ${node}` : ''} before repeating it.`,
    { facts: { ...facts, ...(node ? { node } : {}) }, said },
  );
}

function placeOf(path: string): { readonly node?: string; readonly guest?: string; readonly vmid?: string } {
  const [, node, kind, vmid] = /^\/nodes\/([^/]+)(?:\/(lxc|qemu)\/(\d+))?/.exec(path) ?? [];
  const guest = vmid === undefined ? undefined : `${kind === 'lxc' ? 'CT' : 'VM'} ${vmid}`;
  return { node, guest, vmid };
}
