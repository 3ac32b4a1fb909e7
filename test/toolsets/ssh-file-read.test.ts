import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realAgent } from '../rig/agent.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, startBench } from './harness.ts';

describe('ssh_file_read', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());

  it('gives a file with what is known of it', async () => {
    expect(await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/hostname' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "content": {
            "remote": "pve1
      ",
          },
          "encoding": "text",
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "offset": 0,
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/hostname",
          "sha256": "9098ba8b72c9be1d0ffebc844461986dd9b19c22c60e9137ff3aaf5e2c8c38ff",
          "size": 5,
        },
        "headline": "/etc/hostname on pve1, 5 B",
      }
    `);
  });

  it('gives a file of a container and of a VM', async () => {
    for (const [target, name] of [
      ['ct/101', 'pihole'],
      ['vm/200', 'homeassistant'],
    ]) {
      const told = await bench.call('ssh_file_read', { target, path: '/etc/hostname' });
      expect(told.facts).toMatchObject({ content: { remote: `${name}\n` }, size: name?.length === 6 ? 7 : 14 });
    }
  });

  it('says what is wrong, and what to do instead', async () => {
    const read = (input: object) => bench.fails('ssh_file_read', { target: 'pve1', ...input });
    expect(await read({ path: '/etc/nosuch' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "pve1 has no file /etc/nosuch.",
        "hint": "ssh_file_list shows what is in a folder.",
        "kind": "not-found",
      }
    `);
    expect(await read({ path: '/etc' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "/etc on pve1 is a folder.",
        "hint": "ssh_file_list lists it.",
        "kind": "invalid-input",
      }
    `);
    expect(await read({ path: 'etc/hostname' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "Wrong arguments: path: must be absolute, or begin with ~/.",
        "hint": "ssh_file_read takes target, path, offset, limit, unit, sudo, user.",
        "kind": "invalid-input",
      }
    `);
  });
});

const places = ['root', 'psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'ct/101', 'ct/102'];

describe.each([
  ['the usual programs', {}],
  ["busybox's programs only", busyboxOnly],
])('ssh_file_read over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  beforeAll(async () => {
    lab = await FileLab.start(options);
  });
  afterAll(() => lab.stop());

  /** Writes a file that every place sees under the same path, and gives that. */
  function make(name: string, content: string | Buffer): string {
    const path = join(lab.folder, name);
    writeFileSync(path, content);
    for (const vmid of [101, 102]) {
      const root = lab.sshd.rootOf(vmid);
      if (root !== '/') lab.sh(`mkdir -p "${root}$F" && cp -p "${path}" "${root}$F/"`);
    }
    return path;
  }

  it('gives the same parts in every kind of place', async () => {
    const content = `${Array.from({ length: 500 }, (_, i) => `line ${i + 1} ä€😀`).join('\n')}`;
    const path = make('lines', content);
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    for (const target of places) {
      const read = (input: object) => lab.call('read', { target, path, ...input });
      expect((await read({})).facts, target).toMatchObject({ sha256, offset: 0, content: { remote: content } });
      const part = (await read({ offset: 7, limit: 100 })).facts;
      const end = Number(part.next_offset);
      expect(part).toMatchObject({ sha256, content: { remote: bytes.subarray(7, end).toString() } });
      expect(end).toBeGreaterThan(103);
      expect((await read({ offset: -6 })).facts).toMatchObject({ offset: bytes.length - 4, content: { remote: '😀' } });
      const lines = (await read({ offset: 498, limit: 5, unit: 'lines' })).facts;
      expect(lines).toMatchObject({ lines: 500, content: { remote: 'line 499 ä€😀\nline 500 ä€😀' } });
      expect(lines.next_offset).toBeUndefined();
      const two = (await read({ offset: -3, limit: 2, unit: 'lines' })).facts;
      expect(two).toMatchObject({
        offset: 497,
        next_offset: 499,
        content: { remote: 'line 498 ä€😀\nline 499 ä€😀\n' },
      });
    }
  });

  it('gives what is no text as base64, and whole characters of what is', async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const path = make('binary', binary);
    const told = await lab.call('read', { target: 'psm-ash', path });
    expect(told.facts).toMatchObject({ encoding: 'base64', content: { remote: binary.toString('base64') } });
    const halves = make('halves', 'ä'.repeat(10));
    const part = await lab.call('read', { target: 'psm-ash', path: halves, offset: 1, limit: 4 });
    expect(part.facts).toMatchObject({ encoding: 'text', content: { remote: 'ä' } });
  });

  it('reads on, part after part, to the very end', async () => {
    const content = 'äbc€\n'.repeat(2_000);
    const path = make('parts', content);
    let all = '';
    for (let offset: unknown = 0; offset !== undefined; ) {
      const { facts } = await lab.call('read', { target: 'psm-ash', path, offset, limit: 4_001 });
      all += facts.content.remote;
      offset = facts.next_offset;
    }
    expect(all).toBe(content);
  });

  it('reads files that say they are empty, and says nothing of their size', async () => {
    const { facts, headline } = await lab.call('read', { target: 'psm-dash', path: '/proc/sys/kernel/ostype' });
    expect(facts.content.remote).toBe('Linux\n');
    expect(headline).toBe('/proc/sys/kernel/ostype on psm-dash');
    const part = await lab.call('read', { target: 'psm-dash', path: '/proc/sys/kernel/ostype', offset: 2, limit: 2 });
    expect(part.facts.content.remote).toBe('nu');
    expect((await lab.call('read', { target: 'psm-dash', path: make('empty', '') })).facts.content.remote).toBe('');
  });

  it('moves to a place far into a huge file without reading up to it', async () => {
    const path = join(lab.folder, 'huge');
    const file = openSync(path, 'w');
    writeSync(file, 'there', 8 * 1024 ** 4);
    ftruncateSync(file, 9 * 1024 ** 4);
    closeSync(file);
    // Reading 8 TiB would take hours.
    const { facts } = await lab.call('read', { target: 'psm-ash', path, offset: 8 * 1024 ** 4, limit: 5 });
    expect(facts).toMatchObject({ content: { remote: 'there' }, next_offset: 8 * 1024 ** 4 + 5 });
    expect(facts.sha256).toBeUndefined();
  });

  it('tells where a link leads, and takes names of every kind', async () => {
    lab.sh(
      `cd "$F" && mkdir -p "d 'x" && echo deep >"d 'x/-n" && ln -sfn "d 'x/-n" link && printf q >"$(printf 'a\\nb\\n')"`,
    );
    const link = await lab.call('read', { target: 'psm-zsh', path: join(lab.folder, 'link') });
    expect(link.facts).toMatchObject({
      real_path: { remote: join(lab.folder, "d 'x/-n") },
      content: { remote: 'deep\n' },
    });
    const odd = await lab.call('read', { target: 'psm-zsh', path: join(lab.folder, "d 'x/-n") });
    expect(odd.facts.content.remote).toBe('deep\n');
    expect((await lab.call('read', { target: 'psm-zsh', path: join(lab.folder, 'a\nb') })).facts.content.remote).toBe(
      'q',
    );
  });

  it('reads as root, or as another user, what the login may not', async () => {
    lab.sh(
      'cd "$F" && echo mine >own && chown psm-zsh own && chmod 600 own && mkdir -p deep/in && chmod 700 deep && echo x >deep/in/f',
    );
    const path = join(lab.folder, 'own');
    expect(await lab.fails('read', { target: 'psm-dash', path })).toMatchObject({
      kind: 'permission',
      headline: `${path} on psm-dash may not be read, or not be looked at, by this login.`,
      hint: 'Use sudo, or name the user who may (user).',
    });
    const hidden = await lab.fails('read', { target: 'psm-dash', path: join(lab.folder, 'deep/in/f') });
    expect(hidden.kind).toBe('permission');
    for (const as of [{ sudo: true }, { user: 'psm-zsh' }]) {
      const told = await lab.call('read', { target: 'psm-dash', path, ...as });
      expect(told.facts).toMatchObject({ content: { remote: 'mine\n' }, owner: 'psm-zsh:root', mode: '0600' });
    }
    const home = await lab.call('read', { target: 'psm-bash', path: '~/.profile', user: 'psm-dash' });
    expect(home.facts.owner).toBe('psm-dash:psm-dash');
  });

  it('refuses what is no regular file, at once', async () => {
    lab.sh('mkfifo "$F/fifo"');
    const fifo = await lab.fails('read', { target: 'root', path: join(lab.folder, 'fifo') });
    expect(fifo).toMatchObject({ kind: 'invalid-input', headline: expect.stringContaining('no regular file: a fifo') });
    expect((await lab.fails('read', { target: 'root', path: '/dev/zero' })).kind).toBe('invalid-input');
  });

  it('reads in a VM by its guest agent what that hands out', async () => {
    const pve = lab.bench.as('root@pam!mcp', realAgent());
    const over = { ...lab.over(), pve };
    const binary = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
    const path = make('vm', binary);
    const input = { target: 'vm/200', path, offset: 3, limit: 90_000 };
    const { facts } = await lab.call('read', input, over);
    expect(facts.content.remote).toBe(binary.subarray(3, 90_003).toString('base64'));
    expect(await lab.fails('read', { target: 'vm/200', path: '/nosuch' }, over)).toMatchObject({ kind: 'not-found' });
  });
});
