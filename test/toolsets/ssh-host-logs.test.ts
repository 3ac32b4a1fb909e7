import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apartness } from '../rig/container.ts';
import { runAsRoot } from '../rig/users.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, startBench } from './harness.ts';

describe('ssh_host_logs', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());
  const logs = (input: object) => bench.call('ssh_host_logs', { target: 'pve1', ...input });

  it('gives the newest lines of the journal, and from where to go on', async () => {
    expect(await logs({ lines: 2 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-17T03:10:00+00:00 pve1 webzfs[2314]: pool rpool: ONLINE, pool tank: ONLINE
      2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "older_until": "2026-11-17T03:10:00+00:00",
        },
        "headline": "Journal of pve1: the newest 2 lines",
      }
    `);
  });

  it('finds lines by a pattern, in far more than it shows', async () => {
    expect(await logs({ grep: 'scrub|worker', lines: 1 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "older_until": "2026-11-20T01:10:00+00:00",
        },
        "headline": "Journal of pve1: more than 1 of 9 lines match, the newest 1 shown",
      }
    `);
    expect((await logs({ grep: 'SCRUB' })).headline).toBe('Journal of pve1: 0 of 9 lines match');
    expect((await logs({ grep: '^2026.*SCRUB', ignore_case: true })).headline).toBe(
      'Journal of pve1: 1 of 9 lines match',
    );
  });

  it('keeps to a unit, a time, a boot, a priority or the kernel', async () => {
    expect(await logs({ unit: 'webzfs', since: '2h', until: '2026-11-20 03:00' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "since": "2026-11-20T01:10:00Z",
          "until": "2026-11-20 03:00:00",
        },
        "headline": "Journal of pve1: 1 line",
      }
    `);
    const day = { since: '2026-11-17T04:00:00+01:00', until: '2026-11-17T04:30:00.5+0100' };
    expect((await logs(day)).headline).toBe('Journal of pve1: 2 lines');
    expect((await logs({ kernel: true })).headline).toBe('Journal of pve1: 1 line');
    expect((await logs({ boot: -1 })).headline).toBe('Journal of pve1: 0 lines');
    expect((await logs({ priority: 'err' })).headline).toBe('Journal of pve1: 1 line');
  });

  it('reads a file', async () => {
    const told = await logs({ file: '/etc/hosts', grep: '^127\\.0.*(localhost|x)$', lines: 1 });
    expect(told).toEqual({
      headline: '/etc/hosts of pve1: 1 of 3 lines match',
      facts: { log: { remote: '127.0.0.1 localhost' } },
    });
  });

  it('reads the same in a container and in a VM', async () => {
    expect(await logs({ target: 'ct/101' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-10-10T04:10:00+00:00 pihole systemd[1]: Startup finished in 4.209s.",
          },
        },
        "headline": "Journal of CT 101 (pihole): 1 line",
      }
    `);
    expect(await logs({ target: 'vm/200', file: '/etc/hostname' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "homeassistant",
          },
        },
        "headline": "/etc/hostname of VM 200 (homeassistant): 1 line",
      }
    `);
  });

  it.each([
    { file: '/var/log/x', unit: 'nginx', kernel: true },
    { rotated: true },
    { since: '1h', until: '2h' },
    { since: '2026-11-20 10:00', until: '2026-11-20 09:00' },
    { since: '2026-02-31' },
    { since: '2026-02-03 25:00' },
    { since: '2026-11-20T10:00:00+99:00' },
  ])('refuses %o before it connects', async (input) => {
    const idle = { ssh: { ...bench.context().ssh, look: () => expect.unreachable() } };
    expect(await bench.fails('ssh_host_logs', { target: 'pve1', ...input }, idle)).toMatchSnapshot();
  });

  it.each([
    { unit: '--file=/etc/shadow' },
    { unit: '-x' },
    { unit: 'a b' },
    { file: 'var/log/x' },
    { file: '/a\nb' },
    { since: 'yesterday' },
    { until: '-1h' },
    { grep: 'a\nb' },
    { lines: 5001 },
    { boot: 1 },
    { priority: 'loud' },
  ])('takes no %o', async (input) => {
    expect((await bench.fails('ssh_host_logs', { target: 'pve1', ...input })).kind).toBe('invalid-input');
  });
});

interface Facts {
  readonly log: { readonly remote: string };
  readonly notes?: readonly string[];
  readonly [name: string]: unknown;
}

const read = async (lab: FileLab, input: object) => {
  const { headline, facts } = await lab.bench.call('ssh_host_logs', { ...input }, lab.over());
  return { headline, facts: facts as Facts };
};

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join('');

describe.each([
  ['the usual programs', {}],
  ["busybox's programs first", busyboxOnly],
])('ssh_host_logs of files over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  beforeAll(async () => {
    lab = await FileLab.start(options);
  });
  afterAll(() => lab.stop());

  /** Writes a file of the lab that every login may read. */
  const make = (name: string, content: string | Buffer): string => {
    const file = join(lab.folder, name);
    writeFileSync(file, content);
    return file;
  };
  const fails = (input: object) => lab.bench.fails('ssh_host_logs', { ...input }, lab.over());

  it.each(['root', 'psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'ct/102'])(
    'gives the end of a file of %s',
    async (target) => {
      const root = target.startsWith('ct/') ? lab.sshd.rootOf(102) : '/';
      const file = '/var/tmp/psm-logs-test';
      writeFileSync(join(root, file), numbered(1, 300));
      const { headline, facts } = await read(lab, { target, file, lines: 2 });
      expect(headline).toMatch(/^\/var\/tmp\/psm-logs-test of .+: the newest 2 lines$/);
      expect(facts).toEqual({ log: { remote: 'line 299\nline 300' } });
      const found = await read(lab, { target, file, lines: 2, grep: '(^line|x) .*99?$' });
      expect(found.headline).toMatch(/: more than 2 of 300 lines match, the newest 2 shown$/);
      expect(found.facts.log.remote).toBe('line 289\nline 299');
      expect((await read(lab, { target, file, grep: 'LINE 12$', ignore_case: true })).headline).toMatch(
        /: 1 of 300 lines match$/,
      );
      expect((await read(lab, { target, file, grep: 'LINE 12$' })).headline).toMatch(/: 0 of 300 lines match$/);
      rmSync(join(root, file));
    },
  );

  it('is at the end of 8 TiB at once, and says what it did not look at', async () => {
    const file = make('huge', '');
    // Reading it all would take an hour.
    runAsRoot(['truncate', '-s', '8T', file]);
    runAsRoot(['sh', '-c', 'cat >>"$0"', file], numbered(1, 200));
    const target = 'psm-ash';
    expect((await read(lab, { target, file, lines: 3 })).facts.log.remote).toBe('line 198\nline 199\nline 200');
    const { headline, facts } = await read(lab, { target, file, grep: '0$', lines: 1 });
    expect(headline).toBe(`${file} of psm-ash: more than 1 of 199 lines match, the newest 1 shown`);
    expect(facts.log.remote).toBe('line 200');
    expect(facts.notes).toEqual(['There are older lines, which were not looked at.']);
  });

  it('hands on whatever a line holds, and takes no line for its own marks', async () => {
    const hostile = [
      'deadbeefdeadbeefdeadbeefdeadbeef end 0',
      '\u001b[2Jcleared\rover',
      '`id` $(id) "\' \\ %s %n',
      'ä€😀 \u202egnp.exe',
      '3:not a number',
      '-- No entries here --',
      '',
      'without a newline at its end',
    ];
    const file = make('hostile', hostile.join('\n'));
    for (const target of ['psm-bash', 'psm-zsh', 'psm-ash']) {
      const { headline, facts } = await read(lab, { target, file });
      expect(facts.log.remote.split('\n')).toEqual(hostile);
      expect(headline).toBe(`${file} of ${target}: 8 lines`);
      const all = await read(lab, { target, file, grep: '.*' });
      expect(all.facts.log.remote.split('\n')).toEqual(hostile);
      for (const grep of ['-V', '--help', '$(id)', "it's"]) {
        expect((await read(lab, { target, file, grep })).headline, grep).toMatch(/: 0 of 8 lines match$/);
      }
    }
  });

  it('cuts lines that are long, and keeps the newest of what is much', async () => {
    const file = make('long', `${'x'.repeat(10_000)}\nshort\n`);
    expect((await read(lab, { target: 'root', file })).facts.log.remote).toBe(`${'x'.repeat(4_000)}\nshort`);
    const much = make('much', `${'y'.repeat(999)}\n`.repeat(3_000) + numbered(1, 2));
    const { headline, facts } = await read(lab, { target: 'root', file: much, lines: 5_000 });
    const lines = facts.log.remote.split('\n');
    expect(lines.slice(-2)).toEqual(['line 1', 'line 2']);
    expect(lines.length).toBeGreaterThan(850);
    expect(new Set(lines.slice(0, -2))).toEqual(new Set(['y'.repeat(999)]));
    expect(headline).toBe(`${much} of root: the newest ${lines.length} lines`);
  });

  it('reads what was rotated away when it is told to', async () => {
    const file = make('app.log', numbered(7, 8));
    make('app.log.1', numbered(5, 6));
    make('app.log.2.gz', gzipSync(numbered(3, 4)));
    make('app.log-20261101.gz', gzipSync(numbered(1, 2)));
    symlinkSync('/proc/kmsg', join(lab.folder, 'app.log.3'));
    const all = await read(lab, { target: 'psm-ash', file, rotated: true });
    expect(all.facts.log.remote).toBe(numbered(1, 8).trimEnd());
    expect((await read(lab, { target: 'psm-ash', file })).headline).toMatch(/: 2 lines$/);
    expect((await read(lab, { target: 'psm-ash', file: `${file}.2.gz` })).facts.log.remote).toBe('line 3\nline 4');
  });

  it('tells where a link leads', async () => {
    const file = make('real', numbered(1, 1));
    const link = join(lab.folder, 'link');
    symlinkSync('real', link);
    expect((await read(lab, { target: 'psm-dash', file: link })).facts).toEqual({
      leads_to: { remote: file },
      log: { remote: 'line 1' },
    });
  });

  it('refuses what is no log, and waits for none of it', async () => {
    const folder = lab.folder;
    lab.sh(
      'cd "$F" && mkfifo pipe && ln -s /proc/kmsg kernel && ln -s nowhere dangling && install -m 600 /dev/null secret',
    );
    make('packed', gzipSync(Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 251))));
    make('elf', Buffer.concat([Buffer.from('text\n'.repeat(400)), Buffer.alloc(600)]));
    const refused = [];
    for (const name of ['.', 'pipe', 'kernel', 'dangling', 'secret', 'packed', 'elf', 'nosuch']) {
      refused.push(await fails({ target: 'psm-dash', file: join(folder, name) }));
    }
    const steady = JSON.parse(JSON.stringify(refused).replaceAll(folder, '…'));
    expect(steady).toMatchSnapshot();
    expect((await fails({ target: 'root', file: '/dev/null' })).kind).toBe('invalid-input');
    expect((await fails({ target: 'root', file: '/proc/kmsg' })).kind).toBe('invalid-input');
  });

  it('reads as root with sudo', async () => {
    lab.sh('cd "$F" && echo told >roots && chmod 600 roots');
    const file = join(lab.folder, 'roots');
    expect((await fails({ target: 'psm-dash', file })).kind).toBe('permission');
    expect((await read(lab, { target: 'psm-dash', file, sudo: true })).facts.log.remote).toBe('told');
  });

  it('refuses a pattern that grep does not take, in its own words', async () => {
    const file = make('few', numbered(1, 2));
    const failed = await fails({ target: 'psm-ash', file, grep: 'a(' });
    expect(failed).toMatchObject({ kind: 'invalid-input', headline: 'grep takes no such pattern.' });
    expect(failed.facts).toMatchObject({ said: { remote: expect.stringMatching(/unmatched|bad regex/i) } });
  });
});

describe('ssh_host_logs of a journal', () => {
  let lab: FileLab;
  let folder: string;
  /** Stands for a program of the host. */
  const install = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'psm-programs-'));
    chmodSync(folder, 0o755);
    lab = await FileLab.start({ path: [folder] });
  });
  afterAll(async () => {
    await lab.stop();
    rmSync(folder, { recursive: true });
  });

  it('asks journalctl with arguments that it takes, each in one word', async () => {
    install('journalctl', `for each do echo "2026-11-20T10:00:00+0100 host x: <$each>"; done`);
    const span = { since: '2026-11-20T10:00:00Z', until: '2026-11-20 11:30' };
    const input = { ...span, unit: 'ng*@x', priority: 'err', boot: -1, kernel: true, lines: 50 };
    const { facts } = await read(lab, { target: 'psm-dash', ...input });
    const argv = [...facts.log.remote.matchAll(/<(.*)>/g)].map(([, word]) => word ?? '');
    expect(argv).toMatchInlineSnapshot(`
      [
        "--no-pager",
        "--output=short-iso",
        "--lines=51",
        "--unit=ng*@x",
        "--since=@1795168800",
        "--until=2026-11-20 11:30:00",
        "--priority=err",
        "--dmesg",
        "--boot=-1",
      ]
    `);
    // Without a journal it says so, and that there is no such boot, but takes what it is asked.
    const { stderr } = spawnSync('/usr/bin/journalctl', argv, { encoding: 'utf8' });
    expect(stderr ?? '').not.toMatch(/parse|invalid|unrecognized|usage/i);
    const some = await read(lab, { target: 'psm-dash', lines: 2 });
    expect(some.facts).toMatchObject({ older_until: '2026-11-20T10:00:00+01:00' });
    expect((await read(lab, { target: 'psm-dash', grep: 'lines=20000' })).headline).toBe(
      'Journal of psm-dash: 1 of 3 lines match',
    );
  });

  it('says that a login sees its own messages only', async () => {
    const hint = 'Hint: You are currently not seeing messages from other users and the system.';
    install('journalctl', `echo '${hint}' >&2; echo '2026-11-20T10:00:00+0100 host x: mine'`);
    const { facts } = await read(lab, { target: 'psm-dash' });
    expect(facts.notes).toEqual([
      'This login sees its own messages only: sudo shows all, and so does the group systemd-journal.',
    ]);
    expect(facts.log.remote).toMatch(/mine$/);
  });

  it('says who may read it', async () => {
    install('journalctl', `echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1`);
    expect(await lab.bench.fails('ssh_host_logs', { target: 'psm-dash' }, lab.over())).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "The journal of psm-dash may not be read by this login.",
        "hint": "Set sudo, or put the login into the group systemd-journal.",
        "kind": "permission",
      }
    `);
  });

  it('tells what journalctl says when it gives nothing', async () => {
    install('journalctl', `case $* in *boot*) echo 'no such boot' >&2; exit 1 ;; *) echo 'a line' ;; esac`);
    expect(await lab.bench.fails('ssh_host_logs', { target: 'psm-dash', boot: -7 }, lab.over())).toMatchInlineSnapshot(`
      {
        "facts": {
          "said": {
            "remote": "no such boot
      ",
          },
        },
        "headline": "The log of psm-dash could not be read.",
        "hint": "What it said is in said; file reads a log file instead.",
        "kind": "remote-error",
      }
    `);
  });

  it('shows what syslog or logread has where there is no journal, and says so', async () => {
    if (apartness() === 'plain') return expect(lab.sshd.rootOf(102)).toBe('/');
    const log = join(lab.sshd.rootOf(102), 'var/log/messages');
    runAsRoot(['sh', '-c', 'cat >"$0"', log], 'Nov 20 10:00:00 x crond[7]: one\nNov 20 10:00:01 x sshd[8]: two\n');
    expect(await read(lab, { target: 'ct/102', unit: 'sshd.service', since: '1h' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "Nov 20 10:00:01 x sshd[8]: two",
          },
          "notes": [
            "There is no journal here, and since has no effect.",
            "Lines that name the unit are shown.",
          ],
          "since": "2026-11-20T02:10:00Z",
        },
        "headline": "/var/log/messages of CT 102 (webzfs-proxy): 1 line",
      }
    `);
    runAsRoot(['rm', log]);
    expect(await lab.bench.fails('ssh_host_logs', { target: 'ct/102' }, lab.over())).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 102 (webzfs-proxy) has no journal, no syslog file and no logread.",
        "hint": "Name a file: file. ssh_file_list shows what is in /var/log.",
        "kind": "not-found",
      }
    `);
  });
});
