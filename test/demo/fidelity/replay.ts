import type { Api } from '../../../src/demo/api/index.ts';
import type { World } from '../../../src/demo/world.ts';
import { resetLab } from './lab.ts';
import type { Recording } from './recordings.ts';
import type { Replay } from './replays.ts';
import { type Answer, type Ask, ask, authorization } from './wire.ts';

/** What two answers are compared by: times, processes and ids that never repeat are taken out. */
export interface Comparable {
  readonly status: number;
  readonly reason: string;
  readonly type: string | undefined;
  readonly connection: readonly string[];
  /** How the body is delimited. */
  readonly framing: readonly string[];
  readonly body: unknown;
}

type Rename = (text: string) => string;

const renamer =
  (nodes: Readonly<Record<string, string>> = {}): Rename =>
  (text) =>
    text.replace(/\bpve\d\b/g, (node) => nodes[node] ?? node);

/** The options of a command line, which Proxmox VE prints in no order. */
const inOrder = (options: string): string =>
  options
    .split(/(?= --)/)
    .toSorted()
    .join('');

const same = (text: string): string =>
  text
    .replace(/UPID:([^:]+):[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:/g, 'UPID:$1:pid:pstart:start:')
    .replace(/\.conf\.tmp\.\d+/g, '.conf.tmp.pid')
    .replace(/"--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--/g, '"--time--')
    .replace(/, [\d.]+MiB\/s\)/g, ', speed)')
    .replace(/SHA256:[\w+/]+/g, 'SHA256:hash')
    .replace(/Filesystem UUID: [\w-]+/g, 'Filesystem UUID: uuid')
    .replace(/(vzdump \d+)((?: --[\w-]+ (?:'[^']*'|[^\s"']+))+)/g, (_, head, options) => head + inOrder(options))
    .replace(/\b(started|finished|Failed) at [\d: -]+/g, '$1 at time')
    .replace(/-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\./g, '-stamp.')
    .replace(/bytes written: \d+ \(\d+MiB/g, 'bytes written: some (some')
    .replace(/archive file size: \d+MB/g, 'archive file size: some')
    .replace(/after \d+ seconds|\(\d\d:\d\d:\d\d\)/g, 'some time')
    .replace(/"(pid|pstart|starttime|endtime)":\d+/g, '"$1":0');

function comparable(answer: Pick<Answer, 'status' | 'reason' | 'headers' | 'text'>, rename: Rename): Comparable {
  const text = same(rename(answer.text)).trim();
  const of = (name: string) => answer.headers.filter(([header]) => header === name).map(([, value]) => value);
  const type = of('content-type')[0];
  const framing = answer.headers
    .map(([name]) => name)
    .filter((name) => /^(content-length|transfer-encoding)$/.test(name));
  const body = type?.startsWith('application/json') && text !== '' ? JSON.parse(text) : text;
  return {
    status: answer.status,
    reason: same(rename(answer.reason)),
    type,
    connection: of('connection'),
    framing,
    body,
  };
}

export const recorded = (recording: Recording, { nodes }: Replay): Comparable =>
  comparable({ ...recording, headers: recording.answer }, renamer(nodes));

/** An answer that passed through another node has that node's Connection header too: those are not compared. */
export const withoutConnection = (answer: Comparable): Omit<Comparable, 'connection'> => {
  const { connection: _, ...rest } = answer;
  return rest;
};

const identity: Rename = (text) => text;

/** Asks the demo what the recording asked, in its situation, and answers what came and what follows. */
export async function replay(api: Api, world: World, recording: Recording, situation: Replay) {
  resetLab(world);
  situation.prepare?.(world);
  const answer = await ask(api, requestOf(api, world, recording, situation));
  return { answer: comparable(answer, identity), data: dataOf(answer) };
}

/** The recorded request, with this world's node names, token and secret. */
function requestOf(api: Api, world: World, recording: Recording, { nodes, token, send }: Replay): Ask {
  const rename = renamer(nodes);
  const known = world.access.tokens.find(({ user, tokenid }) => `${user}!${tokenid}` === token) ?? api.token;
  const own = recording.absolute ? {} : authorization(known);
  const headers: Record<string, string> = { ...own, ...recording.headers };
  if (headers.Authorization) {
    headers.Authorization = headers.Authorization.replace('11111111-2222-3333-4444-555555555555', api.token.value);
  }
  if (recording.body !== undefined) headers['Content-Type'] ??= 'application/x-www-form-urlencoded';
  const path = recording.absolute
    ? recording.path
    : recording.path.replace(/^\/\.\.\//, '/../').replace(/^/, '/api2/json');
  return {
    method: recording.method,
    path: rename(path.replace('/json/../', '/')),
    headers,
    ...(recording.body === undefined ? {} : { body: rename(recording.body) }),
    ...send,
  };
}

function dataOf({ text }: Answer): unknown {
  if (!text.startsWith('{')) return undefined;
  const body: { data?: unknown } = JSON.parse(text);
  return body.data;
}

/** GET of a path below /api2/json with root's token. */
export async function get(api: Api, path: string): Promise<Comparable> {
  return comparable(await ask(api, { path: `/api2/json${path}`, headers: authorization(api.token) }), identity);
}
