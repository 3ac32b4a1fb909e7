import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameShown } from '../../src/toolsets/ssh/file-names.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, startBench } from './harness.ts';

describe('ssh_file_list', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());

  it('lists a folder', async () => {
    expect(await bench.call('ssh_file_list', { target: 'pve1', path: '/etc' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "entries": {
            "remote": "-rw-r--r-- root:root 25 2026-11-20T03:10:00Z group
      -rw-r--r-- root:root 5 2026-11-20T03:10:00Z hostname
      -rw-r--r-- root:root 86 2026-11-20T03:10:00Z hosts
      -rw-r--r-- root:root 53 2026-11-20T03:10:00Z os-release
      -rw-r--r-- root:root 85 2026-11-20T03:10:00Z passwd",
          },
          "mode": "0755",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc",
        },
        "headline": "5 items in /etc on pve1",
      }
    `);
  });

  it('lists the folders of a container and of a VM', async () => {
    for (const target of ['ct/101', 'vm/200']) {
      const told = await bench.call('ssh_file_list', { target, path: '/', name: 'etc' });
      expect(told).toMatchObject({ facts: { entries: { remote: expect.stringMatching(/^drwxr-xr-x .* etc$/) } } });
    }
  });

  it('says that there is no such folder', async () => {
    expect(await bench.fails('ssh_file_list', { target: 'pve1', path: '/nosuch' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "pve1 has no file /nosuch.",
        "hint": "ssh_file_list shows what is in a folder.",
        "kind": "not-found",
      }
    `);
  });
});

describe('a name in a listing', () => {
  it.each([
    ['plain.txt', 'plain.txt'],
    ['two words', 'two words'],
    ['Zoë', 'Zoë'],
    ['', '""'],
    [' in front', '" in front"'],
    ['behind ', '"behind "'],
    ['a -> b', '"a -> b"'],
    ['a\nb', '"a\\nb"'],
    ['\x1b[31m', '"\\u{1b}[31m"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['\u202egnp.exe', '"\\u{202e}gnp.exe"'],
  ])('%j is shown as %s', (name, shown) => expect(nameShown(Buffer.from(name))).toBe(shown));

  it('is shown byte for byte when it is not UTF-8', () => {
    expect(nameShown(Buffer.from([0x61, 0xff, 0xc3]))).toBe('"a\\xff\\xc3"');
  });

  it('is never two lines, and never the same as another', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.uint8Array({ min: 1, minLength: 1, maxLength: 12 }), (bytes) => {
        const name = Buffer.from(bytes);
        const shown = nameShown(name);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        expect(seen.get(shown) ?? name.toString('hex')).toBe(name.toString('hex'));
        seen.set(shown, name.toString('hex'));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe.each([
  ['the usual programs', {}],
  ["busybox's programs only", busyboxOnly],
])('ssh_file_list over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  beforeAll(async () => {
    lab = await FileLab.start(options);
    lab.sh(`cd "$F" && mkdir -m 755 list list/sub list/sub/deep && cd list && touch -d @1000000000 old && head -c 3000 /dev/zero >big
      echo x >.hidden && ln -s nowhere dangling && ln -s sub folder && mkfifo fifo && touch sub/inner sub/deep/most
      touch "$(printf 'new\\nline')" "$(printf '\\033[2J')" "$(printf 'bad\\377')" -- -n && chmod 4750 big && chown psm-zsh big
      find . -exec touch -h -d @1700000000 {} +; touch -d @1000000000 old; touch -d @1800000000 big`);
  });
  afterAll(() => lab.stop());

  const list = (input: object) => lab.call('list', { target: 'psm-ash', path: join(lab.folder, 'list'), ...input });
  const names = async (input: object) =>
    (await list(input)).facts.entries.remote.split('\n').map((line) => line.split('Z ')[1]);

  it('shows names of every kind on a line each', async () => {
    const { facts, headline } = await list({});
    const lines = facts.entries.remote
      .replace(/(lrwxrwxrwx root:root) \d+/g, '$1 …')
      .replace(/(d\S+ \S+) \d+/g, '$1 …');
    expect(lines).toMatchInlineSnapshot(`
      "-rw-r--r-- root:root 0 2023-11-14T22:13:20Z "\\u{1b}[2J"
      -rw-r--r-- root:root 0 2023-11-14T22:13:20Z -n
      -rw-r--r-- root:root 2 2023-11-14T22:13:20Z .hidden
      -rw-r--r-- root:root 0 2023-11-14T22:13:20Z "bad\\xff"
      -rwxr-x--- psm-zsh:root 3000 2027-01-15T08:00:00Z big
      lrwxrwxrwx root:root … 2023-11-14T22:13:20Z dangling -> nowhere
      prw-r--r-- root:root 0 2023-11-14T22:13:20Z fifo
      lrwxrwxrwx root:root … 2023-11-14T22:13:20Z folder -> sub
      -rw-r--r-- root:root 0 2023-11-14T22:13:20Z "new\\nline"
      -rw-r--r-- root:root 0 2001-09-09T01:46:40Z old
      drwxr-xr-x root:root … 2023-11-14T22:13:20Z sub"
    `);
    expect(headline).toContain('11 items in');
  });

  it('finds by name, goes down, sorts, and says how many it does not show', async () => {
    expect(await names({ name: 'f*' })).toEqual(['fifo', 'folder -> sub']);
    expect(await names({ depth: 2, name: 'i*' })).toEqual(['sub/inner']);
    expect(await names({ depth: 9, name: 'm*' })).toEqual(['sub/deep/most']);
    expect((await names({ sort: 'newest' })).at(0)).toBe('big');
    expect((await names({ sort: 'newest' })).at(-1)).toBe('old');
    expect((await names({ sort: 'largest', name: '?[id][gf]*' })).at(0)).toBe('big');
    const few = await list({ limit: 5 });
    expect(few.facts.not_shown).toBe(6);
    expect(few.facts.entries.remote.split('\n')).toHaveLength(5);
  });

  it('tells of one file, and of the folder that a link leads to', async () => {
    expect(await names({ path: join(lab.folder, 'list/big') })).toEqual(['big']);
    expect(await names({ path: join(lab.folder, 'list/folder') })).toEqual(['deep', 'inner']);
  });

  it('lists the same in every kind of place', async () => {
    for (const target of ['root', 'psm-bash', 'psm-dash', 'psm-zsh']) {
      expect(await names({ target })).toEqual(await names({}));
    }
    for (const target of ['ct/101', 'ct/102']) {
      expect((await list({ target, path: '/', name: 'etc' })).facts.entries.remote).toMatch(/ etc$/);
    }
  });

  it('lists as root what the login may not', async () => {
    lab.sh('cd "$F" && mkdir -m 700 secret && touch secret/inside');
    const path = join(lab.folder, 'secret');
    expect(await lab.fails('list', { target: 'psm-dash', path })).toMatchObject({ kind: 'permission' });
    expect((await list({ target: 'psm-dash', path, sudo: true })).facts.entries.remote).toMatch(/ inside$/);
  });

  it('tells of parts that may not be looked at', async () => {
    lab.sh('cd "$F" && mkdir -p half/shut half/open && chmod 700 half/shut && touch half/open/x');
    const { facts } = await list({ path: join(lab.folder, 'half'), depth: 2 });
    expect(facts.entries.remote.split('\n')).toHaveLength(3);
    expect(facts.notes).toEqual(['Some folders in it may not be looked into by this login.']);
  });

  it('takes a folder of many', async () => {
    lab.sh('cd "$F" && mkdir many && cd many && seq 1 5000 | xargs touch');
    const { facts, headline } = await list({ path: join(lab.folder, 'many'), limit: 2 });
    expect(headline).toContain('5000 items in');
    expect(facts.entries.remote.split('\n').map((line) => line.split(' ').at(-1))).toEqual(['1', '10']);
    expect(facts.not_shown).toBe(4_998);
  });
});
