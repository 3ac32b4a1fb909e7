import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { createGate, type Gate } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Setup } from '../../src/toolsets/tool.ts';
import { apartness } from '../rig/container.ts';
import { FileLab } from './file-lab.ts';
import { setup } from './harness.ts';

let lab: FileLab;
let gate: Gate;
beforeAll(async () => {
  lab = await FileLab.start();
  vi.useRealTimers();
  const settings: Setup = { ...setup, mode: 'read-only', toolsets: ['full'] };
  const { ssh } = lab.over();
  if (ssh === undefined) throw new Error('no SSH');
  // As the product's own in this mode: only looks go through.
  const run = () => {
    throw new Failure('refused', 'No command is run over SSH in read-only mode.', 'Set another mode.');
  };
  gate = createGate({
    registry: createRegistry(tools, settings),
    confirmation: createConfirmation(60_000, (text) => text),
    audit: { write: async () => undefined, close: async () => undefined },
    setup: settings,
    context: (signal) => lab.bench.context({ setup: settings, signal, ssh: { ...ssh, run } }),
  });
});
afterAll(() => lab.stop());

const call = (tool: string, args: object) => {
  const { signal } = new AbortController();
  return gate({ tool, args, client: 'vitest 4', canAsk: false, signal, progress: () => undefined });
};
const commands = () => lab.sshd.log().split('Starting session: command').length - 1;

/** A container that is a mere chroot has no /proc to be measured by. */
const places = apartness() === 'chroot' ? ['psm-dash'] : ['psm-dash', 'ct/102'];

describe('guarantee 18: in read-only mode', () => {
  it.each(places)('%s is measured and its logs are read, with one command each', async (target) => {
    const before = commands();
    expect(await call('ssh_host_metrics', { target, summary: true })).toMatchObject({ kind: 'answer' });
    expect(await call('ssh_host_logs', { target, file: '/etc/passwd' })).toMatchObject({ kind: 'answer' });
    expect(commands() - before).toBe(2);
    lab.bench.forget();
    const script = `touch ${join(lab.folder, 'ran')}`;
    expect(await call('ssh_exec', { target, script })).toMatchObject({ failure: { kind: 'refused' } });
    expect(commands() - before).toBe(2);
    expect(lab.bench.writes()).toEqual([]);
  });

  it('nothing that a call is given is run: 100 texts of shell, as a file and as a pattern', async () => {
    const made = join(lab.folder, 'made');
    const touch = `touch ${made}`;
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '$(',
      ')',
      ';',
      '&',
      '|',
      '\\',
      ' ',
      touch,
      '-e',
      '>',
      '$1',
      '$IFS',
      '%s',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 2, maxLength: 9 }), async (pieces) => {
        const text = pieces.join('');
        const outcomes = [
          await call('ssh_host_logs', { target: 'psm-zsh', file: `/${text}` }),
          await call('ssh_host_logs', { target: 'psm-ash', file: '/etc/passwd', grep: text }),
        ];
        for (const outcome of outcomes) expect(outcome).not.toMatchObject({ failure: { kind: 'internal' } });
        expect(existsSync(made), text).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
