import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Happening } from '../../src/hooks/events.ts';
import type { Identity } from '../rig/tls.ts';
import { change, labOf } from './office.ts';
import { newCa } from './receiver.ts';

let ca: Identity;
beforeAll(async () => {
  ca = await newCa();
});
afterEach(() => void vi.useRealTimers());

const gone = (host: string): Happening => ({ type: 'host.unreachable', data: { host }, hosts: [host] });
const key = (host: string, offered: string): Happening => ({
  type: 'hostkey.changed',
  data: { host, offered },
  hosts: [host],
});
const refusal = (tool: string): Happening => ({ type: 'guard.refused', data: { tool }, hosts: [] });
describe('a host that is gone', () => {
  it('is told once, by whichever process, and its return once', async (test) => {
    const { receiver, open } = await labOf(test, ca);
    const [one, two] = [open(), open()];
    const urls = [receiver.url()];
    for (const office of [one, two, one]) await office.take(gone('web1'), urls);
    await one.take(gone('web2'), urls);
    await Promise.all([one.reached('web1', urls), two.reached('web1', urls)]);
    await one.reached('web3', urls);
    await two.take(gone('web1'), urls);
    await one.take(change('last'), urls);
    await receiver.events('change.made');
    const told = receiver.got.map(({ event }) => `${event.type} ${event.data.host ?? ''}`);
    expect(told.toSorted()).toEqual([
      'change.made ',
      'host.recovered web1',
      'host.unreachable web1',
      'host.unreachable web1',
      'host.unreachable web2',
    ]);
  });

  it('is told again after a month', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    const office = open();
    const urls = [receiver.url()];
    await office.take(gone('web1'), urls);
    const [mark = ''] = await readdir(join(folder, 'told'));
    const old = new Date(Date.now() - 31 * 86_400_000);
    utimesSync(join(folder, 'told', mark), old, old);
    await office.take(gone('web1'), urls);
    await receiver.events('host.unreachable', 2);
  });

  it('is told once where nothing can be written', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'told'), 'no folder');
    const office = open();
    const urls = [receiver.url()];
    for (let i = 0; i < 3; i++) await office.take(gone('web1'), urls);
    await office.reached('web1', urls);
    await receiver.events('host.recovered');
    expect(receiver.types()).toEqual(['host.unreachable', 'host.recovered']);
  });
});

it('a key that changed is told once, and another one again', async (test) => {
  const { receiver, open } = await labOf(test, ca);
  const office = open();
  const urls = [receiver.url()];
  for (const offered of ['A', 'A', 'B', 'A', 'B']) await office.take(key('web1', offered), urls);
  await office.reached('web1', urls);
  await office.take(key('web1', 'A'), urls);
  await receiver.events('hostkey.changed', 3);
  expect(receiver.got.map(({ event }) => event.data.offered)).toEqual(['A', 'B', 'A']);
});

it('a refusal that repeats itself is counted, and told after a while', async (test) => {
  const { receiver, open } = await labOf(test, ca);
  const office = open();
  const urls = [receiver.url()];
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now });
  for (let i = 0; i < 100; i++) await office.take(refusal('a'), urls);
  await office.take(refusal('b'), urls);
  vi.setSystemTime(now + 60_001);
  await office.take(refusal('a'), urls);
  vi.useRealTimers();
  while (receiver.got.length < 3) await wait(10);
  expect(receiver.got.map(({ event }) => event.data)).toEqual([
    { tool: 'a' },
    { tool: 'b' },
    { tool: 'a', repeated: 99 },
  ]);
});

it('what others wrote is one line, short, and without secrets', async (test) => {
  const redact = (text: string) => text.replaceAll('hunter2', '[secret removed]');
  const { receiver, open } = await labOf(test, ca, { redact });
  const guest = `${'x'.repeat(155)}hunter2\u001b[2J\u202e`;
  const targets = Array.from({ length: 30 }, () => 'a\nb');
  await open().take({ type: 'change.made', data: { guest, targets }, hosts: [] }, [receiver.url()]);
  const [made] = await receiver.events('change.made');
  expect(made?.event.data).toEqual({ guest: `${'x'.repeat(155)}[secr`, targets: Array(20).fill('a\\nb') });
});
