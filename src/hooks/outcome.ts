import type { Failure, Sign } from '../failure.ts';
import type { Call, Outcome } from '../gate/dispatch.ts';
import type { Facts } from '../present/answer.ts';
import type { HostSpec } from '../ssh/client.ts';
import { parseTarget } from '../ssh/target.ts';
import { nodeHost, type Tool } from '../toolsets/tool.ts';
import type { Data, Happening } from './events.ts';

type Input = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.flatMap((one) => textOf(one) ?? []) : undefined;

/** The host that a target is; undefined for a guest, and for what is no target. */
function hostMeant(target: string | undefined): string | undefined {
  try {
    const place = target === undefined ? undefined : parseTarget(target);
    return place?.kind === 'host' ? place.name : undefined;
  } catch {
    return undefined;
  }
}

/** What a call was about, by its own words and by those of its outcome; no other part of either is told. */
function about(
  input: Input,
  facts: Facts,
  { cluster }: Pick<Outcome, 'cluster'>,
  main?: string,
): { readonly data: Data; readonly hosts: readonly string[] } {
  const target = textOf(input.target);
  const targets = textsOf(input.targets);
  const upid = textOf(facts.upid);
  const node = textOf(facts.node) ?? /^UPID:([^:]+):/.exec(upid ?? '')?.[1];
  const host = textOf(input.host) ?? hostMeant(target) ?? textOf(facts.ssh_host) ?? textOf(facts.host);
  const ranOn = input.target === undefined ? textOf(facts.ran_on) : undefined;
  const guest = [input.guest, input.vmid, facts.guest, facts.vmid].map(textOf).find((text) => text !== undefined);
  const data = { target: target ?? ranOn, targets, host, guest, node, upid, cluster };
  const onHost = node === undefined ? undefined : nodeHost(node, cluster === main ? undefined : cluster);
  return { data, hosts: [host, onHost, ranOn, ...(targets ?? []).map(hostMeant)].flatMap((name) => name ?? []) };
}

/** Which of our rules said no. */
function reasonOf(call: Call, sign: string | undefined): string {
  if (sign === 'read-only' || sign === 'protected') return sign;
  return call.reply && !(call.reply.action === 'accept' && call.reply.confirmed) ? 'declined' : 'policy';
}

/** What webhooks are told of a call that is over; most calls are nothing to tell. `main`: the cluster of the settings. */
export function happeningOf(
  call: Call,
  tool: Tool | undefined,
  outcome: Outcome,
  main?: string,
): Happening | undefined {
  if (outcome.kind === 'question') return undefined;
  const facts = outcome.kind === 'answer' ? outcome.answer.facts : outcome.failure.facts;
  const { data, hosts } = about((call.args ?? {}) as Input, facts, outcome, main);
  const what = { tool: call.tool, effect: tool?.effect, ...data };
  if (outcome.kind === 'answer') {
    if (tool === undefined || tool.effect === 'read') return undefined;
    const goesOn = facts.task_state === 'running' || (facts.job !== undefined && facts.state === 'running');
    const verdict = goesOn ? 'running' : 'ok';
    return { type: 'change.made', data: { ...what, verdict }, hosts };
  }
  const { kind, sign } = outcome.failure;
  if (kind === 'task-failed') return { type: 'task.failed', data: { ...what, verdict: kind }, hosts };
  if (kind !== 'refused') return sign && keyTold(sign);
  return { type: 'guard.refused', data: { ...what, verdict: kind, reason: reasonOf(call, sign?.is) }, hosts };
}

/** What they are told of a connection that could not be made, or was lost while it was used. */
export function connectionTold({ name }: HostSpec, { kind, sign }: Failure): Happening | undefined {
  if (sign) return keyTold(sign, name);
  if (kind !== 'unreachable' && kind !== 'timeout') return undefined;
  return { type: 'host.unreachable', data: { host: name, verdict: kind }, hosts: [name] };
}

/** Of a host key that is not the known one; `wanted` is the host that it was on the way to. */
function keyTold(sign: Sign, wanted?: string): Happening | undefined {
  if (!('offered' in sign)) return undefined;
  const { is: verdict, host, offered, known } = sign;
  const through = wanted === host ? undefined : wanted;
  const hosts = wanted === undefined ? [host] : [host, wanted];
  return { type: 'hostkey.changed', data: { host, through, offered, known, verdict }, hosts };
}
