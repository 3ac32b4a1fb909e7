import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/ssh/files/diff.ts';
import { realAgent } from '../rig/agent.ts';
import { FileLab } from './file-lab.ts';
import { type Bench, startBench } from './harness.ts';

const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('ssh_file_edit', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());

  const input = (edits: object[], more: object = {}) => ({ target: 'pve1', path: '/etc/hosts', edits, ...more });
  const name = { old_text: 'localhost pve1', new_text: 'localhost node-one' };

  it('shows what it would change, and changes nothing', async () => {
    const before = await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/hosts' });
    const edits = [{ old_text: '127.0.0.1 localhost\n', new_text: '127.0.0.1 localhost\n10.0.0.9 nas\n' }];
    expect(await bench.call('ssh_file_edit', input(edits, { dry_run: true }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "diff": {
            "remote": "@@ -1,3 +1,4 @@
       127.0.0.1 localhost
      +10.0.0.9 nas
       192.168.2.11 pve1.home.arpa pve1
       192.168.2.12 pve2.home.arpa pve2
      ",
          },
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/hosts",
          "sha256": "251d173b52e6dece28a0d9cdaa87a0e2d070a0fb6518665c7e43393fa6fed94a",
          "size": 86,
          "written": false,
        },
        "headline": "1 edit would change /etc/hosts on pve1",
      }
    `);
    expect(await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/hosts' })).toEqual(before);
  });

  it('makes all edits, one on the other, and shows the difference', async () => {
    const edits = [
      { old_text: '127.0.0.1 localhost\n', new_text: '127.0.0.1 localhost\n10.0.0.9 nas\n' },
      { old_text: '10.0.0.9 nas', new_text: '10.0.0.8 nas' },
      { old_text: '.home.arpa', new_text: '.lan', all: true },
    ];
    expect(await bench.call('ssh_file_edit', input(edits))).toMatchInlineSnapshot(`
      {
        "facts": {
          "diff": {
            "remote": "@@ -1,3 +1,4 @@
       127.0.0.1 localhost
      -192.168.2.11 pve1.home.arpa pve1
      -192.168.2.12 pve2.home.arpa pve2
      +10.0.0.8 nas
      +192.168.2.11 pve1.lan pve1
      +192.168.2.12 pve2.lan pve2
      ",
          },
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/hosts",
          "sha256": "cac08ba0cc679495c3de3be1a9b5fc335a34c119a35a8a5e32f1f835673bc7d2",
          "sha256_before": "251d173b52e6dece28a0d9cdaa87a0e2d070a0fb6518665c7e43393fa6fed94a",
          "size": 87,
          "size_before": 86,
        },
        "headline": "3 edits made in /etc/hosts on pve1",
      }
    `);
    const again = await bench.call('ssh_file_edit', input([{ old_text: 'nas', new_text: 'nas' }]));
    expect(again).toMatchObject({ headline: '/etc/hosts on pve1 is so already', facts: { written: false } });
  });

  it('makes none of them when one does not fit', async () => {
    const fine = { old_text: '127.0.0.1', new_text: '127.0.0.2' };
    expect(await bench.fails('ssh_file_edit', input([fine, name]))).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "old_text of edit 2 is not in the file. Nothing was written.",
        "hint": "Read the file, and copy the text exactly, with its indentation.",
        "kind": "invalid-input",
      }
    `);
    expect(
      await bench.fails('ssh_file_edit', input([fine, { old_text: '.lan', new_text: 'x' }])),
    ).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "old_text of edit 2 is in the file 2 times. Nothing was written.",
        "hint": "Give more of the lines around it, or set all to replace every one.",
        "kind": "invalid-input",
      }
    `);
    expect(await bench.fails('ssh_file_edit', input([{ old_text: 'localhost  10.0', new_text: 'x' }]))).toMatchObject({
      headline: 'old_text is not in the file, but it is when white space does not count. Nothing was written.',
    });
    const read = await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/hosts' });
    expect(read.facts).toMatchObject({ content: { remote: expect.stringContaining('127.0.0.1 localhost') } });
  });

  it('shows a human the difference before it is made', async () => {
    expect(
      await bench.preview('ssh_file_edit', input([{ old_text: '10.0.0.8', new_text: '10.0.0.7' }])),
    ).toMatchInlineSnapshot(`
      {
        "message": "Change /etc/hosts on pve1:
      @@ -1,4 +1,4 @@
       127.0.0.1 localhost
      -10.0.0.8 nas
      +10.0.0.7 nas
       192.168.2.11 pve1.lan pve1
       192.168.2.12 pve2.lan pve2
      ",
        "state": {
          "sha256": "cac08ba0cc679495c3de3be1a9b5fc335a34c119a35a8a5e32f1f835673bc7d2",
        },
      }
    `);
  });
});

describe('ssh_file_edit over OpenSSH', () => {
  let lab: FileLab;
  beforeAll(async () => {
    lab = await FileLab.start();
  });
  afterAll(() => lab.stop());

  let count = 0;
  function make(content: string | Buffer): string {
    const path = join(lab.folder, `file${++count}`);
    writeFileSync(path, content);
    return path;
  }
  const one = [{ old_text: 'two\nthree', new_text: 'zwei\ndrei' }];

  it.each([
    ['CRLF', 'one\r\ntwo\r\nthree\r\n', 'one\r\nzwei\r\ndrei\r\n'],
    ['no newline at the end', 'one\ntwo\nthree', 'one\nzwei\ndrei'],
    ['both kinds of line ends', 'one\r\ntwo\nthree\n', 'one\r\nzwei\ndrei\n'],
    ['a byte order mark', '\ufefftwo\nthree\n', '\ufeffzwei\ndrei\n'],
  ])('keeps %s', async (_, before, after) => {
    const path = make(before);
    lab.sh(`chown psm-zsh:psm-ash ${path} && chmod 640 ${path}`);
    const { facts } = await lab.call('edit', { target: 'psm-dash', sudo: true, path, edits: one });
    expect(readFileSync(path, 'utf8')).toBe(after);
    expect(facts).toMatchObject({
      sha256: hash(after),
      sha256_before: hash(before),
      owner: 'psm-zsh:psm-ash',
      mode: '0640',
    });
  });

  it('takes edits for what they are, whatever they look like', async () => {
    const path = make('a.c $& abc $1\n');
    const edits = [
      { old_text: 'a.c', new_text: "$& $1 $` $'" },
      { old_text: 'abc', new_text: '\\n' },
    ];
    await lab.call('edit', { target: 'psm-bash', sudo: true, path, edits });
    expect(readFileSync(path, 'utf8')).toBe("$& $1 $` $' $& \\n $1\n");
  });

  it('writes nothing when somebody else writes meanwhile', async () => {
    const path = make('one\ntwo\nthree\n');
    const over = lab.over();
    const { ssh } = over;
    if (!ssh) throw new Error('no shell');
    // Between the look and the write.
    const run: typeof ssh.run = async (...args) => {
      writeFileSync(path, 'theirs\n');
      return ssh.run(...args);
    };
    const failure = await lab.fails('edit', { target: 'root', path, edits: one }, { ...over, ssh: { ...ssh, run } });
    expect(failure).toMatchObject({ kind: 'conflict', facts: { sha256: hash('theirs\n') } });
    expect(failure.headline).toContain('it has another sha256');
    expect(readFileSync(path, 'utf8')).toBe('theirs\n');
  });

  it('refuses what is no text of UTF-8, and what is too long', async () => {
    const binary = await lab.fails('edit', { target: 'root', path: make(Buffer.from([0xff, 0x0a])), edits: one });
    expect(binary).toMatchObject({ kind: 'invalid-input', headline: expect.stringContaining('no text of UTF-8') });
    const long = await lab.fails('edit', { target: 'root', path: make('x'.repeat(4 * 1024 ** 2 + 1)), edits: one });
    expect(long).toMatchObject({ kind: 'invalid-input', headline: expect.stringContaining('is longer than 4 MiB') });
    expect((await lab.fails('edit', { target: 'root', path: join(lab.folder, 'no'), edits: one })).kind).toBe(
      'not-found',
    );
  });

  it('edits a long file', async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i}`);
    const path = make(`${lines.join('\n')}\n`);
    const edits = [1, 100_000, 199_998].map((n) => ({ old_text: `\nline ${n}\n`, new_text: `\nchanged ${n}\n` }));
    const { facts } = await lab.call('edit', { target: 'root', path, edits });
    expect((facts.diff as { remote: string }).remote.match(/^[-+](?![-+])/gm)).toHaveLength(6);
    expect(statSync(path).size).toBe(Buffer.byteLength(lines.join('\n')) + 1 + 3 * 3);
  });

  it('edits in a container, and in a VM by its guest agent', async () => {
    const pve = lab.bench.as('root@pam!mcp', realAgent());
    const path = make('one\ntwo\nthree\n');
    await lab.call('edit', { target: 'vm/200', path, edits: one }, { ...lab.over(), pve });
    expect(readFileSync(path, 'utf8')).toBe('one\nzwei\ndrei\n');
    await lab.call('write', { target: 'ct/102', path: '/root/note', content: 'one\ntwo\nthree\n' });
    const told = await lab.call('edit', { target: 'ct/102', path: '/root/note', edits: one });
    expect(told.facts.sha256).toBe(hash('one\nzwei\ndrei\n'));
  });
});

/** The new text that a unified diff makes of the old one; throws where they do not fit. */
function patched(before: string, diff: string): string {
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const made: string[] = [];
  let at = 0;
  for (const hunk of diff.split(/^(?=@@ )/m).filter(Boolean)) {
    const [head = '', ...rest] = hunk.match(/[^\n]*\n/g) ?? [];
    const [, start, count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(head) ?? [];
    const first = Number(start) - (count === '0' ? 0 : 1);
    made.push(...old.slice(at, first));
    at = first;
    for (const [i, line] of rest.entries()) {
      if (line.startsWith('\\')) continue;
      const text = rest[i + 1]?.startsWith('\\') ? line.slice(1, -1) : line.slice(1);
      if (line[0] !== '+' && old[at++] !== text) throw new Error(`line ${at} is not ${JSON.stringify(text)}`);
      if (line[0] !== '-') made.push(text);
    }
    if (at - first !== Number(count)) throw new Error(`${head} has ${at - first} old lines`);
  }
  return [...made, ...old.slice(at)].join('');
}

describe('a difference', () => {
  it('makes the new text of the old one', async () => {
    const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'd e\n');
    const end = fc.constantFrom('', 'end');
    const text = fc.tuple(fc.array(line, { maxLength: 40 }), end).map(([lines, last]) => lines.join('') + last);
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        expect(patched(before, await unifiedDiff(before, after))).toBe(after);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one change of all when nearly all differs', async () => {
    const text = (word: string) => Array.from({ length: 3_000 }, (_, i) => `${word} ${i}\n`).join('');
    const diff = await unifiedDiff(text('old'), text('new'));
    expect(diff.startsWith('@@ -1,3000 +1,3000 @@\n')).toBe(true);
    expect(patched(text('old'), diff)).toBe(text('new'));
  });
});
