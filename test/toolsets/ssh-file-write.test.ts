import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { realAgent } from '../rig/agent.ts';
import { onDisk } from '../rig/disk.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, setup, startBench, toolNamed } from './harness.ts';

const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('ssh_file_write', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());

  const write = (input: object) => bench.call('ssh_file_write', { target: 'pve1', path: '/etc/motd', ...input });

  it('makes a file, and replaces it when that is meant', async () => {
    expect(await write({ content: 'Grüße\n' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "created": true,
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/motd",
          "sha256": "b1de61b8108f15d9913e0fa2e6371ed737fbe2be84e63a89ca8ae7a370322371",
          "size": 8,
        },
        "headline": "Created /etc/motd on pve1, 8 B",
      }
    `);
    expect(await write({ content: 'new\n', expected_sha256: hash('Grüße\n') })).toMatchInlineSnapshot(`
      {
        "facts": {
          "created": false,
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/motd",
          "sha256": "7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c",
          "sha256_before": "b1de61b8108f15d9913e0fa2e6371ed737fbe2be84e63a89ca8ae7a370322371",
          "size": 4,
          "size_before": 8,
        },
        "headline": "Replaced /etc/motd on pve1, 4 B",
      }
    `);
    const read = await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/motd' });
    expect(read.facts).toMatchObject({ content: { remote: 'new\n' } });
    const list = await bench.call('ssh_file_list', { target: 'pve1', path: '/etc', name: '.psm*' });
    expect(list.headline).toContain('0 items');
  });

  it('replaces nothing that was not named', async () => {
    const input = { target: 'pve1', path: '/etc/hostname', content: 'x' };
    expect(await bench.fails('ssh_file_write', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "sha256": "9098ba8b72c9be1d0ffebc844461986dd9b19c22c60e9137ff3aaf5e2c8c38ff",
        },
        "headline": "/etc/hostname is on pve1 already. Nothing was changed.",
        "hint": "Read it; then give its sha256 as expected_sha256, or set overwrite.",
        "kind": "conflict",
      }
    `);
    expect(await bench.fails('ssh_file_write', { ...input, expected_sha256: hash('y') })).toMatchInlineSnapshot(`
      {
        "facts": {
          "sha256": "9098ba8b72c9be1d0ffebc844461986dd9b19c22c60e9137ff3aaf5e2c8c38ff",
        },
        "headline": "/etc/hostname on pve1 is not what was expected: it has another sha256. Nothing was changed.",
        "hint": "Read it again.",
        "kind": "conflict",
      }
    `);
    expect(await bench.fails('ssh_file_write', { ...input, path: '/no/such/x' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "pve1 has no folder for /no/such/x.",
        "hint": "Correct the path, or set make_folders.",
        "kind": "not-found",
      }
    `);
  });

  it.each([
    ['key=[secret removed]\n'],
    ['[private key removed]\n'],
    ['a\n[… 12345 of 99999 characters not shown; all of it is in /x …]\nb'],
    ['[… about 5 of 9 bytes not shown …]'],
  ])('does not write what stands in an answer for what it does not show: %j', async (text) => {
    const input = { target: 'pve1', path: '/etc/marked', content: text };
    expect(await bench.fails('ssh_file_write', input)).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringMatching(/^The text holds ".*", which stands for what an answer did not show\.$/),
    });
    const edits = [{ old_text: '127.0.0.1', new_text: text }];
    expect((await bench.fails('ssh_file_edit', { target: 'pve1', path: '/etc/hosts', edits })).kind).toBe(
      'invalid-input',
    );
    await write({ path: '/etc/marked', content: Buffer.from(text).toString('base64'), base64: true, overwrite: true });
    const read = await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/marked' });
    expect(read.facts).toMatchObject({ content: { remote: text } });
  });

  it('writes in a container and in a VM', async () => {
    for (const target of ['ct/101', 'vm/200']) {
      await write({ target, content: `of ${target}\n`, path: '/root/note' });
      const read = await bench.call('ssh_file_read', { target, path: '/root/note' });
      expect(read.facts).toMatchObject({ content: { remote: `of ${target}\n` } });
    }
  });

  it.each([
    ['/etc/pve/lxc/400.conf'],
    ['/etc/pve/nodes/pve1/../pve1/qemu-server/400.conf'],
    ['/etc/pve//firewall/400.fw'],
    ['~/../etc/pve/lxc/400.conf'],
    ['/proc/1/root/etc/pve/lxc/400.conf'],
    ['/proc/self/cwd/../var/lib/lxc/400/config'],
    ['/var/lib/lxc/400/config'],
    ['/rpool/data/subvol-400-disk-0/etc/passwd'],
    ['/var/lib/vz/images/400/vm-400-disk-0.raw'],
  ])('does not write to %s of a protected guest', async (path) => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [400] } });
    for (const name of ['ssh_file_write', 'ssh_file_edit', 'ssh_file_upload']) {
      await expect(refuseProtected(toolNamed(name), { target: 'pve1', path }, context)).rejects.toThrow('protected');
      const other = path.replaceAll('400', '410');
      await refuseProtected(toolNamed(name), { target: 'pve1', path: other }, context);
    }
  });
});

const places = ['root', 'psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'ct/101', 'ct/102'];

describe.each([
  ['the usual programs', {}],
  ["busybox's programs only", busyboxOnly],
])('ssh_file_write over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  beforeAll(async () => {
    lab = await FileLab.start(options);
  });
  afterEach(() => expect(lab.sh('find "$F" -name ".psm*"')).toBe(''));
  afterAll(() => lab.stop());

  let count = 0;
  const newPath = () => join(lab.folder, `file${++count}`);
  const at = (path: string) => ({
    mode: statSync(path).mode & 0o7777,
    uid: statSync(path).uid,
    gid: statSync(path).gid,
  });

  it('brings every byte, in every kind of place', async () => {
    const binary = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) % 256));
    const path = newPath();
    for (const target of places) {
      const input = { target, path: `${path}-${target.replace('/', '')}`, make_folders: true };
      const made = await lab.call('write', { ...input, content: binary.toString('base64'), base64: true });
      expect(made.facts, target).toMatchObject({
        created: true,
        size: binary.length,
        sha256: hash(binary),
        mode: '0644',
      });
      const root = target.startsWith('ct/') ? lab.sshd.rootOf(Number(target.slice(3))) : '/';
      expect(lab.sh(`sha256sum <"${root}${input.path}"`).slice(0, 64), target).toBe(hash(binary));
      const again = await lab.call('write', { ...input, content: '', overwrite: true });
      expect(again.facts).toMatchObject({ created: false, size: 0, sha256_before: hash(binary), size_before: 100_000 });
    }
  });

  it('keeps mode and owner of what it replaces, as root by sudo too', async () => {
    const path = newPath();
    lab.sh(`echo old >${path} && chown psm-zsh:psm-ash ${path} && chmod 4751 ${path}`);
    const before = at(path);
    for (const target of ['root', 'psm-dash']) {
      await lab.call('write', { target, path, content: target, overwrite: true, sudo: true });
      expect(at(path)).toEqual(before);
      expect(readFileSync(path, 'utf8')).toBe(target);
    }
  });

  it('does not take a file over from its owner', async () => {
    const path = newPath();
    lab.sh(`echo old >${path} && chown psm-zsh:psm-zsh ${path} && chmod 644 ${path}`);
    const failure = await lab.fails('write', { target: 'psm-dash', path, content: 'x', overwrite: true });
    expect(failure).toMatchObject({ kind: 'permission', hint: 'Use sudo, or name the user who may (user).' });
    expect(readFileSync(path, 'utf8')).toBe('old\n');
    const told = await lab.call('write', { target: 'psm-dash', path, content: 'x', overwrite: true, user: 'psm-zsh' });
    expect(told.facts.owner).toBe('psm-zsh:psm-zsh');
  });

  it('gives mode and owner that were asked for, and makes folders', async () => {
    const path = `${newPath()}/a b/c`;
    const input = { target: 'root', path, content: 'x', mode: '2640', owner: 'psm-zsh:psm-ash' };
    expect((await lab.fails('write', input)).hint).toBe('Correct the path, or set make_folders.');
    const told = await lab.call('write', { ...input, make_folders: true });
    expect(told.facts).toMatchObject({ mode: '2640', owner: 'psm-zsh:psm-ash' });
    const again = await lab.call('write', { ...input, mode: undefined, owner: 'psm-dash', overwrite: true });
    expect(again.facts).toMatchObject({ mode: '2640', owner: 'psm-dash:psm-ash' });
    const nobody = { ...input, owner: 'nosuchuser', overwrite: true, content: 'y' };
    expect((await lab.fails('write', nobody)).kind).toBe('remote-error');
    expect(readFileSync(path, 'utf8')).toBe('x');
  });

  it('writes through a link to what it leads to, and says so', async () => {
    const path = newPath();
    lab.sh(
      `mkdir ${path}.d && echo old >${path}.d/real && ln -s ${path}.d/real ${path} && ln -s ${path}.d/new ${path}.dangling`,
    );
    const told = await lab.call('write', { target: 'root', path, content: 'new', overwrite: true });
    expect(told.facts.real_path).toEqual({ remote: `${path}.d/real` });
    expect(readlinkSync(path)).toBe(`${path}.d/real`);
    expect(readFileSync(`${path}.d/real`, 'utf8')).toBe('new');
    await lab.call('write', { target: 'root', path: `${path}.dangling`, content: 'made' });
    expect(readFileSync(`${path}.d/new`, 'utf8')).toBe('made');
    lab.sh(`ln -s ${path}.b ${path}.a && ln -s ${path}.a ${path}.b`);
    expect((await lab.fails('write', { target: 'root', path: `${path}.a`, content: 'x' })).kind).toBe('remote-error');
  });

  it('says that other names of a file keep the old content', async () => {
    const path = newPath();
    lab.sh(`echo old >${path} && ln ${path} ${path}.other`);
    const { facts } = await lab.call('write', { target: 'root', path, content: 'new', overwrite: true });
    expect(facts.notes).toEqual(['The file had 2 names (hard links); the others keep the old content.']);
    expect(readFileSync(`${path}.other`, 'utf8')).toBe('old\n');
  });

  it('takes names of every kind', async () => {
    for (const name of ['a \'b"c', '-n', 'new\nline', '$(id)', '*', '\x1b[2J', 'ä€😀']) {
      const path = join(lab.folder, name);
      await lab.call('write', { target: 'psm-zsh', path, content: name });
      expect(readFileSync(path, 'utf8')).toBe(name);
    }
  });

  it.each([
    ['folder', 'mkdir "$0"', 'invalid-input'],
    ['fifo', 'mkfifo "$0"', 'invalid-input'],
  ])('does not write to a %s', async (_kind, make, kind) => {
    const path = newPath();
    lab.sh(make.replaceAll('"$0"', path));
    expect(await lab.fails('write', { target: 'root', path, content: 'x', overwrite: true })).toMatchObject({ kind });
  });

  it('leaves the file as it was when the disk is full', async () => {
    await onDisk(join(lab.folder, 'full'), 64, async ({ folder }) => {
      const path = join(folder, 'file');
      lab.sh(`echo old >${path}`);
      const failure = await lab.fails('write', { target: 'root', path, content: 'x'.repeat(200_000), overwrite: true });
      expect(failure).toMatchObject({ kind: 'remote-error', hint: 'Make room there.' });
      expect(failure.facts).toMatchObject({ said: { remote: expect.stringContaining('No space left') } });
      expect(readFileSync(path, 'utf8')).toBe('old\n');
      expect(readdirSync(folder)).toEqual(['file']);
    });
  });

  it('lets one of many win, whole, when they write at once', async () => {
    const path = newPath();
    writeFileSync(path, 'start');
    const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(300_000 + i));
    const ends = await Promise.allSettled(
      contents.map((content) => lab.call('write', { target: 'root', path, content, expected_sha256: hash('start') })),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ kind: 'conflict' });
    expect(contents).toContain(readFileSync(path, 'utf8'));
    const other = newPath();
    const made = await Promise.allSettled(
      contents.map((content) => lab.call('write', { target: 'root', path: other, content })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(contents).toContain(readFileSync(other, 'utf8'));
  });

  it('writes in a VM by its guest agent as much as that takes', async () => {
    const pve = lab.bench.as('root@pam!mcp', realAgent());
    const over = { ...lab.over(), pve };
    const path = newPath();
    const content = Buffer.from(Array.from({ length: 40 * 1024 }, (_, i) => (i * 7) % 256));
    const input = { target: 'vm/200', path, content: content.toString('base64'), base64: true };
    expect((await lab.call('write', input, over)).facts).toMatchObject({ sha256: hash(content), created: true });
    expect(readFileSync(path).equals(content)).toBe(true);
    const much = await lab.fails('write', { target: 'vm/200', path: newPath(), content: 'x'.repeat(60_000) }, over);
    expect(much).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringContaining('which takes 65536 at once'),
    });
  });

  it('refuses base64 that is none before it connects', async () => {
    const path = newPath();
    const failure = await lab.fails('write', { target: 'root', path, content: '?', base64: true });
    expect(failure).toMatchObject({ kind: 'invalid-input', headline: 'content is not base64.' });
    expect(existsSync(path)).toBe(false);
  });
});
