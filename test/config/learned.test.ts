import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { rememberIn } from '../../src/config/learned.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { Home } from './home.ts';

const host = (name: string): HostSpec => ({ name, address: '10.0.0.1', port: 22, user: 'root' });

it('what was learned of a host outlives the process, for the host it was learned of and no other', () => {
  const file = join(new Home().path, 'cache/hosts.json');
  const learned = { at: 5, capabilities: ['docker'] };
  rememberIn(file).keep(host('a'), learned);
  rememberIn(file).keep(host('b'), { at: 6, capabilities: [] });
  expect(rememberIn(file).of([host('a'), host('c')])).toEqual(new Map([['a', learned]]));
  for (const other of [{ address: '10.0.0.2' }, { port: 2222 }, { user: 'me' }])
    expect(rememberIn(file).of([{ ...host('a'), ...other }]).size).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
});

it.each(['', '{', '[]', '{"a":1}', '{"a":{"login":"root@10.0.0.1:22"}}'])('a file of %j is as good as none', (text) => {
  const file = new Home().write('hosts.json', text);
  const memory = rememberIn(file);
  expect(memory.of([host('a')]).size).toBe(0);
  memory.keep(host('a'), { at: 1, capabilities: [] });
  expect(rememberIn(file).of([host('a')]).size).toBe(1);
});

it('what cannot be written is known to this process all the same', () => {
  const home = new Home();
  mkdirSync(join(home.path, 'folder'));
  const memory = rememberIn(join(home.path, 'folder'));
  memory.keep(host('a'), { at: 1, capabilities: ['zfs'] });
  expect(memory.of([host('a')]).get('a')?.capabilities).toEqual(['zfs']);
});

it('the oldest of more than 1,000 are forgotten', () => {
  const file = join(new Home().path, 'hosts.json');
  const entries = Array.from({ length: 1_000 }, (_, i) => [
    `h${i}`,
    { login: 'root@10.0.0.1:22', at: i + 1, capabilities: [] },
  ]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(entries)));
  rememberIn(file).keep(host('new'), { at: 2_000, capabilities: [] });
  const kept = Object.keys(JSON.parse(readFileSync(file, 'utf8')));
  expect([kept.length, kept.includes('new'), kept.includes('h0'), kept.includes('h1')]).toEqual([
    1_000,
    true,
    false,
    true,
  ]);
});
