import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hunt, LOOK_SCRIPT, type Prey } from '../../src/ssh/hunt.ts';

/** The signals that a host is asked to send, look by look, when the prey is gone after three of them. */
async function signalsFor(prey: Prey): Promise<string[]> {
  const asked: string[] = [];
  const ask = async (line: string) => {
    asked.push(line.split(' ')[0] ?? '');
    return asked.length < 3 ? 'proc 4711|4711.1' : 'proc|';
  };
  await hunt(prey, ask, () => undefined);
  return asked;
}

it('asks with TERM first, and leaves time before it kills', async () => {
  expect((await signalsFor({ cookie: 'c' })).slice(0, 2)).toEqual(['TERM', '0']);
});

it('kills from the first look on when the process is about to end', async () => {
  expect(await signalsFor({ cookie: 'c', atOnce: true })).toEqual(['KILL', 'KILL', 'KILL', 'KILL']);
});

it('names the first process once, as soon as it is known', async () => {
  const named: (string | undefined)[] = [];
  const prey: { cookie: string; pid?: number } = { cookie: 'c' };
  const ask = async (line: string) => {
    named.push(line.split(' ')[2]);
    if (named.length === 2) prey.pid = 4711;
    return named.length < 5 ? 'proc 4712|4712.1' : 'proc|';
  };
  await hunt(prey, ask, () => undefined);
  expect(named.slice(0, 5)).toEqual(['0', '0', '4711', '0', '0']);
});

it('calls nothing gone where neither /proc nor ps shows anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'psm-blind-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ps'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const script = LOOK_SCRIPT.replaceAll('/proc', '/nowhere');
  const answer = execFileSync('sh', ['-c', script], { env, input: 'TERM c 0 \nTERM d 0 \ngo\n', encoding: 'utf8' });
  expect(answer).toBe('blind\nblind\n');
  const looks: unknown[] = [];
  await hunt(
    { cookie: 'c' },
    async () => 'blind',
    (look) => looks.push(look),
  );
  expect(looks).toEqual([]);
});
