import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAudit } from '../../src/gate/audit.ts';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { createGate } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { createPresent } from '../../src/present/present.ts';
import { createRedaction } from '../../src/present/redact.ts';
import { keepSecretsIn } from '../../src/present/secrets.ts';
import type { Wire } from '../../src/pve/wire.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
let folder: string;
beforeAll(async () => {
  bench = await startBench();
  folder = await mkdtemp(join(tmpdir(), 'psm-kept-'));
});
afterAll(async () => {
  await bench.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A server that says in its errors what it was given: the worst that could be between us and the operator. */
const echoing = (wire: Wire): Wire => ({
  ...wire,
  send: async (request) => {
    const given =
      new URLSearchParams(request.body).get('password') ?? new URLSearchParams(request.body).get('cipassword');
    if (given === null) return wire.send(request);
    const message = `bad password ${given} (${Buffer.from(given).toString('base64')})\n`;
    return { status: 500, statusText: 'oops', body: JSON.stringify({ data: null, message }) };
  },
});

/** What a call leaves: in the answer as a client gets it, its progress, and the audit file. */
async function traceOf(tool: string, args: Record<string, unknown>, echoes: boolean) {
  const made: string[] = [];
  const { redact, hold } = createRedaction([]);
  const keepSecret = keepSecretsIn(join(folder, 'secrets'), (secret) => {
    made.push(secret.reveal());
    hold(secret);
  });
  const file = join(folder, `${tool}-${echoes}.jsonl`);
  const audit = createAudit({ file, headFolder: join(folder, 'heads'), redact });
  const present = createPresent({ redact, budget: 20_000, save: async () => undefined });
  const chosen = { ...setup, toolsets: ['full' as const] };
  const pve = echoes ? bench.as('root@pam!mcp', echoing) : bench.as('root@pam!mcp');
  const gate = createGate({
    registry: createRegistry(tools, chosen),
    audit,
    setup: chosen,
    confirmation: createConfirmation(60_000, redact),
    context: (signal, progress) => bench.context({ pve, signal, progress, keepSecret }),
  });
  const told: string[] = [];
  const { signal } = new AbortController();
  const progress = (line: string) => void told.push(present.line(line));
  const outcome = await gate({ tool, args, client: 'vitest 4', canAsk: true, signal, progress });
  if (outcome.kind === 'question') throw new Error('there was a question');
  const end = outcome.kind === 'answer' ? present.answer(outcome.answer) : present.failure(outcome.failure);
  const { text, structured } = await end;
  await audit.close();
  return {
    made,
    kind: outcome.kind,
    text: [text, JSON.stringify(structured), ...told, await readFile(file, 'utf8')].join('\n'),
  };
}

const calls: readonly (readonly [string, Record<string, unknown>])[] = [
  ['pve_ct_create', { template: 'debian-13', name: 'kept' }],
  ['pve_vm_create', { name: 'kept', import_from: 'local-lvm:vm-201-disk-0', user: 'ops' }],
  ['pve_guest_clone', { guest: 9000, name: 'kept', password: true }],
];

describe('guarantee 21: a password that a tool had made', () => {
  it.each(calls)('%s: in no answer, progress or audit, but in the file that is named', async (tool, args) => {
    const { made, kind, text } = await traceOf(tool, args, false);
    expect(kind).toBe('answer');
    expect(made).toHaveLength(1);
    const file = /\/\S+\/secrets\/kept-[\w-]+\.txt/.exec(text)?.[0] ?? '';
    expect(await readFile(file, 'utf8')).toBe(`${made[0]}\n`);
    expect(text).not.toContain(made[0]);
  });

  it.each(calls)('%s: nor when the server says it again in its error', async (tool, args) => {
    const { made, kind, text } = await traceOf(tool, args, true);
    expect(kind).toBe('failure');
    expect(made).toHaveLength(1);
    expect(text).toContain('bad password [secret removed] ([secret removed]');
    expect(text).not.toContain(made[0]);
    expect(text).not.toContain(Buffer.from(made[0] ?? '').toString('base64'));
    expect(text).toMatch(/secrets\/kept-/);
  });
});
