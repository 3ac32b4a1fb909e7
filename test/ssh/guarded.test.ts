import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConfirmation, type Reply, type Ticket } from '../../src/gate/confirm.ts';
import { createGate, type Gate, type Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import type { Ssh } from '../../src/ssh/client.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Setup } from '../../src/toolsets/tool.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { runAsRoot } from '../rig/users.ts';
import { type Bench, setup, shellOn, startBench } from '../toolsets/harness.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';

let server: Sshd;
let ssh: Ssh;
let bench: Bench;
/** Every command adds a line to it. */
let file: string;

beforeAll(async () => {
  bench = await startBench();
  server = await startSshd({ containers: { 101: 'running' } });
  ssh = sshTo(server);
  file = join(server.folder, 'ran');
});
afterAll(async () => {
  await ssh.close();
  await server.stop();
  await bench.stop();
});
beforeEach(() => void runAsRoot(['install', '-m', '666', '/dev/null', file]));

const ran = () => readFileSync(file, 'utf8').split('\n').length - 1;
const connections = () => server.log().split('Connection from').length - 1;

/** The gate before the real tools, whose one host is the real sshd; only the gate itself keeps them from it. */
function gateIn(mode: Setup['mode'], ttlMs = 60_000): Gate {
  const settings: Setup = { ...setup, mode, toolsets: ['full'] };
  const spec = { ...login(server, 'psm-bash'), name: 'pve1' };
  return createGate({
    registry: createRegistry(tools, settings),
    confirmation: createConfirmation(ttlMs, (text) => text),
    audit: { write: async () => undefined, close: async () => undefined },
    setup: settings,
    context: (signal) => bench.context({ setup: settings, signal, ssh: shellOn(ssh, [{ spec, source: 'node' }]) }),
  });
}

const call = (gate: Gate, tool: string, args: unknown, more: { reply?: Reply; canAsk?: boolean } = {}) =>
  gate({
    tool,
    args,
    client: 'vitest 4',
    canAsk: true,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...more,
  });

/** The three tools that run a command, each with one that leaves a line behind. */
const commands = () => {
  const script = `echo ran >>${file}`;
  return [
    ['ssh_exec', { target: 'pve1', script }],
    ['ssh_sudo_exec', { target: 'pve1', script }],
    ['pct_exec', { vmid: 101, script: `${script.replace(file, '/tmp/ran')}; cat /tmp/ran` }],
  ] as const;
};

describe('guarantee 18: read-only, before a real sshd', () => {
  const forbidden = tools.filter(({ effect }) => effect !== 'read');

  it.each(forbidden.map((tool) => [tool.name, tool] as const))(
    '%s, called by name, opens no connection',
    async (name, tool) => {
      const gate = gateIn('read-only');
      bench.forget();
      const before = connections();
      for (const made of fc.sample(inputsOf(tool, bench.world), 1)) {
        const known = Object.entries({ target: 'pve1', vmid: 101, script: `echo ran >>${file}` });
        const args = { ...made, ...Object.fromEntries(known.filter(([key]) => key in tool.schema.shape)) };
        expect(await call(gate, name, args)).toMatchObject({ kind: 'failure', failure: { kind: 'refused' } });
      }
      expect([ran(), connections() - before, bench.writes()]).toEqual([0, 0, []]);
    },
  );

  it('and the same calls do run where they may', async () => {
    const gate = gateIn('trusted');
    for (const [name, args] of commands()) {
      expect(await call(gate, name, args)).toMatchObject({ kind: 'answer', answer: { facts: { exit_code: 0 } } });
    }
    expect(ran()).toBe(2);
    expect(connections()).toBe(1);
  });
});

describe('guarantee 20: without a yes to this very call nothing runs on a real host', () => {
  const ticketOf = (outcome: Outcome): Ticket => {
    if (outcome.kind !== 'question') throw new Error(`not a question: ${JSON.stringify(outcome)}`);
    return outcome.question.ticket;
  };
  const yes = (ticket: Reply['ticket']): Reply => ({ action: 'accept', confirmed: true, ticket });
  const answers: Record<string, (ticket: Ticket) => Reply> = {
    declined: (ticket) => ({ action: 'decline', confirmed: false, ticket }),
    cancelled: (ticket) => ({ action: 'cancel', confirmed: false, ticket }),
    'accepted with the box unticked': (ticket) => ({ action: 'accept', confirmed: false, ticket }),
    'forged or too old': () => yes({ invalid: 'mac' }),
    'for another call': (ticket) => yes({ ...ticket, input: '0'.repeat(64) }),
    'for another state': (ticket) => yes({ ...ticket, state: '0'.repeat(64) }),
  };

  it.each(Object.entries(answers))('%s: 0 effects, 10 times over', async (_, reply) => {
    const gate = gateIn('ask');
    for (const [name, args] of commands()) {
      for (let i = 0; i < 10; i++) {
        const ticket = ticketOf(await call(gate, name, args));
        const outcome = await call(gate, name, args, { reply: reply(ticket) });
        expect(outcome).toMatchObject({ kind: 'failure', failure: { kind: 'refused' } });
      }
    }
    expect(ran()).toBe(0);
  });

  it('timed out, or by a client that cannot ask: 0 effects', async () => {
    const gate = gateIn('ask', 1);
    for (const [name, args] of commands()) {
      const ticket = ticketOf(await call(gate, name, args));
      await new Promise((resolve) => setTimeout(resolve, 10));
      const late = await call(gate, name, args, { reply: yes(ticket) });
      expect(late).toMatchObject({ kind: 'failure', failure: { kind: 'refused' } });
      const dumb = await call(gate, name, args, { canAsk: false });
      expect(dumb).toMatchObject({ kind: 'failure', failure: { kind: 'refused' } });
    }
    expect(ran()).toBe(0);
  });

  it('an alarming command in guarded mode: 0 effects before the yes, one after it, none when it is replayed', async () => {
    const gate = gateIn('guarded');
    const args = { target: 'pve1', script: `echo ran >>${file}; mkfs.ext4 /no/such/device` };
    const reply = yes(ticketOf(await call(gate, 'ssh_exec', args)));
    expect(ran()).toBe(0);
    const outcomes = await Promise.all([1, 2, 3].map(() => call(gate, 'ssh_exec', args, { reply })));
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['answer', 'failure', 'failure']);
    expect(ran()).toBe(1);
  });
});
