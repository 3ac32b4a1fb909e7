import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onDisk } from '../rig/disk.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, setup, startBench } from './harness.ts';

const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('ssh_file_upload', () => {
  let bench: Bench;
  const transferDir = mkdtempSync(join(tmpdir(), 'psm-transfer-'));
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(async () => {
    rmSync(transferDir, { recursive: true });
    await bench.stop();
  });
  const over = { setup: { ...setup, transferDir } };

  it('sends a file', async () => {
    writeFileSync(join(transferDir, 'motd'), 'Welcome\n');
    const input = { target: 'pve1', local_path: 'motd', path: '/etc/motd' };
    expect(await bench.call('ssh_file_upload', input, over)).toMatchInlineSnapshot(`
      {
        "facts": {
          "created": true,
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/motd",
          "sha256": "0e90e1aa36481e399939d32680dab2005c299f2bb9c3ba6b151ac0cc821fec7a",
          "size": 8,
          "took": "… s",
        },
        "headline": "Sent motd to /etc/motd on pve1, 8 B",
      }
    `);
    const read = await bench.call('ssh_file_read', { target: 'pve1', path: '/etc/motd' });
    expect(read.facts).toMatchObject({ content: { remote: 'Welcome\n' } });
    expect(await bench.fails('ssh_file_upload', input, over)).toMatchInlineSnapshot(`
      {
        "facts": {
          "sha256": "0e90e1aa36481e399939d32680dab2005c299f2bb9c3ba6b151ac0cc821fec7a",
        },
        "headline": "/etc/motd is on pve1 already. Nothing was changed.",
        "hint": "Read it; then give its sha256 as expected_sha256, or set overwrite.",
        "kind": "conflict",
      }
    `);
  });

  it('says what is wrong with the local side, and connects to nothing', async () => {
    symlinkSync('/etc/passwd', join(transferDir, 'link'));
    mkdirSync(join(transferDir, 'folder'));
    for (const local_path of ['nosuch', '/etc/passwd', 'link', 'folder']) {
      const failure = await bench.fails('ssh_file_upload', { target: 'pve1', local_path, path: '/etc/x' }, over);
      expect(JSON.parse(JSON.stringify(failure).replaceAll(transferDir, '…'))).toMatchSnapshot();
    }
  });

  it('names the ways that there are into a VM', async () => {
    expect(
      await bench.fails('ssh_file_upload', { target: 'vm/200', local_path: 'motd', path: '/etc/x' }, over),
    ).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "The guest agent of VM 200 (homeassistant) carries no whole files.",
        "hint": "ssh_file_write sends up to 40 KiB, ssh_file_read gets up to 1 MiB at a time. For more, list the VM as an SSH host of its own.",
        "kind": "invalid-input",
      }
    `);
  });
});

const places = ['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'ct/101', 'ct/102'];

describe.each([
  ['the usual programs', {}],
  ["busybox's programs only", busyboxOnly],
])('ssh_file_upload over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  const content = randomBytes(1_500_001);
  beforeAll(async () => {
    lab = await FileLab.start(options);
    mkdirSync(lab.transfer);
    writeFileSync(join(lab.transfer, 'big'), content);
    writeFileSync(join(lab.transfer, 'empty'), '');
  });
  afterAll(() => lab.stop());

  let count = 0;
  const newPath = () => join(lab.folder, `file${++count}`);
  const upload = (input: object) => lab.call('upload', { target: 'psm-dash', local_path: 'big', ...input });
  const left = () => lab.sh('find "$F" -name ".psm*"');

  it('brings every byte, to every kind of place', async () => {
    for (const target of places) {
      const path = newPath();
      const told = await upload({ target, path, make_folders: true, mode: '640' });
      expect(told.facts, target).toMatchObject({
        created: true,
        size: content.length,
        sha256: hash(content),
        mode: '0640',
      });
      const root = target.startsWith('ct/') ? lab.sshd.rootOf(Number(target.slice(3))) : '';
      expect(lab.sh(`sha256sum <"${root}${path}"`).slice(0, 64), target).toBe(hash(content));
      const none = await upload({ target, path, local_path: 'empty', overwrite: true });
      expect(none.facts).toMatchObject({ size: 0, sha256: hash(''), sha256_before: hash(content), mode: '0640' });
    }
    expect(left()).toBe('');
  });

  it('replaces only what was meant, and keeps its mode and owner', async () => {
    const path = newPath();
    lab.sh(`echo old >${path} && chown psm-zsh:psm-ash ${path} && chmod 4750 ${path}`);
    const failure = await lab.fails('upload', { target: 'psm-dash', local_path: 'big', path, sudo: true });
    expect(failure).toMatchObject({ kind: 'conflict', facts: { sha256: hash('old\n') } });
    const told = await upload({ path, sudo: true, expected_sha256: hash('old\n') });
    expect(told.facts).toMatchObject({ created: false, owner: 'psm-zsh:psm-ash', mode: '4750' });
    expect(statSync(path).size).toBe(content.length);
  });

  it('goes on from what is there when it is the same, else anew', async () => {
    for (const [part, resumed] of [
      [content.subarray(0, 1_000_000), '977 KiB'],
      [randomBytes(1_000_000), undefined],
    ] as const) {
      const path = newPath();
      const key = createHash('sha256')
        .update(JSON.stringify([path]))
        .digest('hex')
        .slice(0, 16);
      writeFileSync(join(lab.folder, `.psm-${key}.0.part`), part);
      lab.sh(`chown psm-dash "$F/.psm-${key}.0.part"`);
      const told = await upload({ path });
      expect(told.facts).toMatchObject({ sha256: hash(content) });
      expect(told.facts.resumed_at).toBe(resumed);
      expect(told.facts.begun_anew).toBe(resumed ? undefined : 'what was cut before was of another content');
      expect(readFileSync(path).equals(content)).toBe(true);
    }
    expect(left()).toBe('');
  });

  it('trusts no part that another user could have put there', async () => {
    lab.sh('echo precious >"$F/precious" && chmod 666 "$F/precious"');
    for (const make of ['ln -s "$F/precious"', 'ln "$F/precious"', 'cp "$F/precious"']) {
      const path = newPath();
      const key = createHash('sha256')
        .update(JSON.stringify([path]))
        .digest('hex')
        .slice(0, 16);
      lab.sh(`${make} "$F/.psm-${key}.0.part" && chown -h psm-zsh "$F/.psm-${key}.0.part"`);
      expect((await upload({ target: 'root', path })).facts.resumed_at).toBeUndefined();
      expect(readFileSync(join(lab.folder, 'precious'), 'utf8')).toBe('precious\n');
      expect(readFileSync(path).equals(content)).toBe(true);
    }
  });

  it('leaves the file as it was when the disk is full, and no part on it', async () => {
    await onDisk(join(lab.folder, 'full'), 256, async ({ folder }) => {
      const path = join(folder, 'file');
      lab.sh(`echo old >${path}`);
      const failure = await lab.fails('upload', { target: 'root', local_path: 'big', path, overwrite: true });
      expect(failure).toMatchObject({ kind: 'remote-error', hint: 'Make room there.' });
      expect(readFileSync(path, 'utf8')).toBe('old\n');
      expect(readdirSync(folder)).toEqual(['file']);
    });
  });

  it('lets one of many win, whole, when they send at once', async () => {
    const path = newPath();
    const names = [0, 1, 2, 3].map((i) => `many${i}`);
    const contents = names.map((name) => {
      const bytes = randomBytes(1_000_000);
      writeFileSync(join(lab.transfer, name), bytes);
      return hash(bytes);
    });
    const ends = await Promise.allSettled(names.map((local_path) => upload({ local_path, path })));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ kind: 'conflict' });
    expect(contents).toContain(hash(readFileSync(path)));
    const all = await Promise.all(names.map((local_path) => upload({ local_path, path, overwrite: true })));
    expect(all).toHaveLength(4);
    expect(contents).toContain(hash(readFileSync(path)));
  });

  it('publishes nothing of a file that changes while it is sent', async () => {
    const path = newPath();
    const file = join(lab.transfer, 'changing');
    writeFileSync(file, content);
    let changed = false;
    const over = lab.over({
      progress: (message) => {
        if (changed || !message.startsWith('sent')) return;
        changed = true;
        writeFileSync(file, randomBytes(10), { flag: 'r+' });
      },
    });
    const failure = await lab.fails('upload', { target: 'root', local_path: 'changing', path }, over);
    expect(changed).toBe(true);
    expect(failure).toMatchObject({ kind: 'remote-error', headline: expect.stringContaining('is not what was sent') });
    expect(lab.sh('ls "$F"')).not.toContain(path.split('/').at(-1));
  });
});
