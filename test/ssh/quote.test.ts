import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import type { Command, Ssh } from '../../src/ssh/client.ts';
import { quote } from '../../src/ssh/quote.ts';
import { newMarks, wrap } from '../../src/ssh/wrap.ts';
import { figure, grouped, tally } from '../figures.ts';
import { CONTAINER_USER } from '../rig/container.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';

const nasty = fc.constantFrom(
  ...'\'"\\$`!*?[]{}()<>|&;~#=%^-+@, \t\r\n',
  '$(id)',
  '\\0',
  "'\\''",
  '\u{1f600}',
  '\ufeff',
  '\u0085',
);
const character = fc.oneof(
  nasty,
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((text) => text !== '\0'),
);
const word = fc.string({ unit: character, maxLength: 12 });
const list = fc.array(word, { maxLength: 6 });

/** One command for each list, that prints its length and its words, each with a NUL behind it. */
const printing = (lists: readonly (readonly string[])[], between: string) =>
  lists.map((words) => `printf '%s\\0' ${words.length} ${words.map(quote).join(' ')}`).join(between);
const printed = (lists: readonly (readonly string[])[]) =>
  lists.map((words) => [words.length, ...words].map((text) => `${text}\0`).join('')).join('');

let server: Sshd;
let ssh: Ssh;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash' } });
  ssh = sshTo(server);
});
afterAll(async () => {
  await ssh.close();
  await server.stop();
});

const roads: [string, string, Partial<Command>][] = [
  ['bash', 'psm-bash', {}],
  ['dash', 'psm-dash', {}],
  ['zsh', 'psm-zsh', {}],
  ['ash', 'psm-ash', {}],
  ['sudo from bash', 'psm-bash', { sudo: true }],
  ['sudo from ash', 'psm-ash', { sudo: true }],
  ['root as another user', 'root', { user: 'psm-zsh' }],
  ['pct exec', 'root', { container: 400 }],
  ['pct exec into busybox', 'root', { container: 401 }],
  ['pct exec as another user', 'root', { container: 401, user: CONTAINER_USER }],
  ['sudo and pct exec from bash', 'psm-bash', { container: 400 }],
  ['sudo and pct exec from ash into busybox', 'psm-ash', { container: 401 }],
];

describe('guarantee 6: 10,000 random argument lists', () => {
  it.each(roads)('come back byte for byte through %s', async (_, user, more) => {
    const lists = fc.sample(list, 10_000);
    const host = login(server, user, { sudoPassword: new Secret(DASH_PASSWORD) });
    // A thousand lists to a command; and of each thousand those that fit into a command line.
    for (let at = 0; at < lists.length; at += 1_000) {
      const batch = lists.slice(at, at + 1_000);
      const flat = batch.filter((words) => !words.some((text) => text.includes('\n'))).slice(0, 20);
      const scripts = [printing(flat, ';'), printing(batch, '\n')];
      const commands = scripts.map((script) => ({ script, timeoutMs: 60_000, ...more }));
      expect(commands.map((command) => wrap(host, command, newMarks()).body === '')).toEqual([true, false]);
      const [inline, onStdin] = await Promise.all(commands.map((command) => ssh.run(host, command)));
      expect(inline?.stdout.text === printed(flat), `from list ${at} on`).toBe(true);
      expect(onStdin?.stdout.text === printed(batch), `from list ${at} on`).toBe(true);
    }
    tally(6, `argument lists byte for byte, 10,000 in each of ${roads.length} ways`, lists.length);
  });

  it('but never NUL or half of a surrogate pair', () => {
    for (const text of ['\0', 'a\0b', '\ud83d', 'a\ude00', '\ude00\ud83d']) {
      expect(() => quote(text)).toThrow(expect.objectContaining({ kind: 'invalid-input' }));
    }
  });
});

describe('guarantee 5: a command line', () => {
  it('is never longer than 8 KiB, which every server takes, however its script grows by quoting', () => {
    const host = { name: 'a', address: 'a', port: 22 };
    const sizes = fc.oneof(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 0, max: 140_000 }));
    const users = fc.constantFrom(undefined, 'u', 'x'.repeat(64));
    const ways = fc.record({ sudo: fc.boolean(), container: fc.constantFrom(undefined, 400), user: users });
    let longest = 0;
    fc.assert(
      fc.property(
        sizes,
        fc.constantFrom('a', "'", 'ä'),
        ways,
        fc.constantFrom('root', 'u'),
        (size, unit, way, user) => {
          const { line, body } = wrap(
            { ...host, user },
            { script: unit.repeat(size), timeoutMs: 1, ...way },
            newMarks(),
          );
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(8 * 1024);
          longest = Math.max(longest, Buffer.byteLength(line));
          expect(line.includes('\n')).toBe(false);
          if (unit === 'a' && size < 4_000) expect(body).toBe('');
          if (size > 8 * 1024) expect(body).not.toBe('');
        },
      ),
      { numRuns: 500 },
    );
    figure(5, `the longest of 500 command lines: ${grouped(longest)} bytes`);
  });
});
