import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainCommands } from '../../src/toolsets/ssh/plain.ts';
import { ruleOn } from '../../src/toolsets/ssh/rules.ts';
import type { CommandRules } from '../../src/toolsets/tool.ts';
import { counted } from '../counts.ts';

const NESTS = counted(10_000, 1_000);
const TEXTS = counted(20_000, 2_000);

/** Of a script in which § stands for $. */
const verdict = (script: string, rules: CommandRules, more: { stdin?: string; opaque?: boolean } = {}): string =>
  ruleOn({ script: script.replaceAll('§', '$'), ...more }, rules).verdict;

const deny: CommandRules = { deny: ['rm -rf *', 'zpool destroy *', 'reboot', 'systemctl stop pve*', '/opt/tool *'] };

describe('a command that is denied', () => {
  const spelled = [
    'rm -rf /srv/x',
    'rm -rf',
    '  rm\t-rf   /srv/x  ',
    '/bin/rm -rf /srv/x',
    '/usr/bin/../bin/rm -rf x',
    './rm -rf x',
    '\\rm -rf x',
    'r\\m -rf x',
    'r""m -rf x',
    "r''m -rf x",
    '"rm" -rf x',
    "'rm' '-rf' x",
    'r"m" -r"f" x',
    "$'rm' -rf x",
    "$'\\x72m' -rf x",
    "$'\\162\\155' -rf x",
    "$'\\u0072m' -rf x",
    '$"rm" -rf x',
    'rm§{IFS}-rf§{IFS}x',
    'rm$IFS-rf$IFS/x',
    'r\\\nm -rf x',
    'rm \\\n -rf x',
    'rm -rf x # tidy',
    '# first\nrm -rf x',
    'true\nrm -rf x\ntrue',
    'true\r\nrm -rf x\r\n',
    'true; rm -rf x',
    'true;rm -rf x;true',
    'true && rm -rf x',
    'false || rm -rf x',
    'true | rm -rf x',
    'true |& rm -rf x',
    'true & rm -rf x &',
    '(rm -rf x)',
    '( cd /srv; rm -rf x )',
    '{ rm -rf x; }',
    '! rm -rf x',
    'if true; then rm -rf x; fi',
    'if rm -rf x; then :; fi',
    'if false; then :; elif rm -rf x; then :; else :; fi',
    'if false; then :; else rm -rf x; fi',
    'for i in a b; do rm -rf $i; done',
    'while rm -rf x; do :; done',
    'until rm -rf x; do :; done',
    'case $x in a) rm -rf x;; esac',
    'f() { rm -rf x; }; f',
    'function f { rm -rf x; }; f',
    'function f() { rm -rf x; }; f',
    'coproc rm -rf x',
    'echo $(rm -rf x)',
    'echo "$(rm -rf x)"',
    'echo `rm -rf x`',
    'echo "`rm -rf x`"',
    'x=$(rm -rf x)',
    'cat <(rm -rf x)',
    'echo §{y:-$(rm -rf x)}',
    'A=1 rm -rf x',
    'A=1 B="2 3" rm -rf x',
    'env rm -rf x',
    'env -i A=1 rm -rf x',
    'env -u HOME rm -rf x',
    "env -S 'rm -rf x'",
    'sudo rm -rf x',
    'sudo -n -u root rm -rf x',
    'sudo -u root -g wheel -- rm -rf x',
    'sudo --user=root rm -rf x',
    'doas rm -rf x',
    'doas -u root rm -rf x',
    'nohup rm -rf x &',
    'nice rm -rf x',
    'nice -n 19 rm -rf x',
    'ionice -c 3 rm -rf x',
    'ionice -c3 nice -n19 rm -rf x',
    'time rm -rf x',
    'time -p rm -rf x',
    'timeout 5 rm -rf x',
    'timeout -k 1 5s rm -rf x',
    'timeout --signal=KILL 5 rm -rf x',
    'exec rm -rf x',
    'exec -a name rm -rf x',
    'command rm -rf x',
    'command -p rm -rf x',
    'builtin rm -rf x',
    'setsid rm -rf x',
    'setsid -w rm -rf x',
    'stdbuf -oL rm -rf x',
    'busybox rm -rf x',
    'flock /tmp/lock rm -rf x',
    "flock /tmp/lock -c 'rm -rf x'",
    'taskset -c 0 rm -rf x',
    'chrt 1 rm -rf x',
    'strace -f rm -rf x',
    'systemd-run rm -rf x',
    'systemd-run --wait -p X=1 rm -rf x',
    'unshare -m rm -rf x',
    'chroot /mnt rm -rf x',
    'nsenter -t 1 -m rm -rf x',
    'watch rm -rf x',
    'watch -n 1 "rm -rf x"',
    'xargs rm -rf </dev/null',
    'echo x | xargs rm -rf',
    'echo x | xargs -n 1 rm -rf',
    'find /srv -exec rm -rf {} \\;',
    'find /srv -execdir rm -rf {} +',
    'eval rm -rf x',
    "eval 'rm -rf x'",
    'eval "rm -rf x"',
    'sh -c "rm -rf x"',
    "bash -c 'rm -rf x'",
    "bash -lc 'rm -rf x'",
    "bash -e -x -c 'rm -rf x'",
    "/bin/sh -c 'rm -rf x'",
    "dash -c 'true; rm -rf x'",
    "su - root -c 'rm -rf x'",
    "su -c'rm -rf x'",
    "su --command='rm -rf x' root",
    'runuser -u root -- rm -rf x',
    "runuser -l root -c 'rm -rf x'",
    'ssh pve2 rm -rf x',
    "ssh -p 22 root@pve2 'rm -rf x'",
    'ssh pve2 \'sudo sh -c "rm -rf x"\'',
    'pct exec 400 -- rm -rf x',
    "pct exec 400 -- sh -c 'rm -rf x'",
    'qm guest exec 101 -- rm -rf x',
    'docker exec -it web rm -rf x',
    'podman exec web rm -rf x',
    'lxc-attach -n 400 -- rm -rf x',
    'incus exec web -- rm -rf x',
    'parallel rm -rf ::: a b',
    "tmux new-session -d 'rm -rf x'",
    "screen -dm sh -c 'rm -rf x'",
    "script -qc 'rm -rf x' /dev/null",
    "trap 'rm -rf x' EXIT",
    "alias ll='rm -rf x'; ll",
    'alias ll="rm -rf x"',
    'cat <<EOF | sh\nrm -rf x\nEOF',
    "cat <<'EOF' | sh\nrm -rf x\nEOF",
    "sh <<< 'rm -rf x'",
    "echo 'rm -rf x' | sh",
    "printf 'rm -rf x\\n' | bash -s",
    'python3 -c "import os; os.system(\'rm -rf x\')"',
    '>/dev/null rm -rf x',
    '2>/dev/null rm -rf x',
    'rm -rf x >/dev/null 2>&1',
    'rm 2>/dev/null -rf x',
    '>&2 rm -rf x',
    '2>&1 rm -rf x',
    '<&- rm -rf x',
    '10>/dev/null rm -rf x',
    '{log}>/dev/null rm -rf x',
    'rm >&2 -rf x',
    'rm 2>&1 -rf x',
    'rm &>/dev/null -rf x',
    '&>/dev/null rm -rf x',
    'true &>/dev/null; rm -rf x',
    'zpool 2>&1 destroy tank',
    'zpool &>/dev/null destroy tank',
    "sh -c 'zpool &>/dev/null destroy tank'",
    'reboot >&2',
    'reboot 10>/dev/null',
    'time { rm -rf x; }',
    'coproc tidy { rm -rf x; }',
    'trap reboot EXIT',
    'alias now=reboot; now',
    'toybox rm -rf x',
    'pkexec rm -rf x',
    'run0 rm -rf x',
    'fakeroot rm -rf x',
    'gosu root rm -rf x',
    'setarch x86_64 rm -rf x',
    'choom -n 0 -- rm -rf x',
    'systemd-inhibit --what=idle rm -rf x',
    'kubectl exec web -- rm -rf x',
    "cat <<EOF\ndon't\nEOF\nrm -rf x",
    'zpool destroy tank',
    'zpool destroy -f tank',
    'reboot',
    'sudo reboot',
    'sh -c reboot',
    'su -c reboot',
    'reboot >/dev/null',
    'reboot 2>&1',
    'reboot &',
    'systemctl stop pveproxy',
    'systemctl stop pve-cluster',
    '/opt/tool --wipe',
  ];

  it.each(spelled)('%j', (script) => expect(verdict(script, deny)).toBe('deny'));

  it('on standard input of what runs it, and not of what reads it', () => {
    for (const script of ['bash', 'sh -s', 'sudo bash', 'ssh pve2', 'xargs -I{} sh -c {}', 'pct exec 400 -- sh']) {
      expect(verdict(script, deny, { stdin: 'rm -rf x\n' }), script).toBe('deny');
    }
    expect(verdict('cat > notes', deny, { stdin: 'rm -rf x\n' })).toBe('none');
  });

  it('is told with its pattern', () => {
    expect(ruleOn({ script: 'ls; sudo rm -rf "/srv/my files"' }, deny)).toEqual({
      verdict: 'deny',
      command: 'rm -rf /srv/my files',
      pattern: 'rm -rf *',
    });
  });
});

describe('short options', () => {
  it.each([
    'rm -fr x',
    'rm -r -f x',
    'rm -f -r x',
    'rm -rfv x',
    'rm -v -f -r x',
    'rm -r -f',
    'sudo rm -fr -- x',
    "sh -c 'rm -f -r x'",
  ])('are the same in any order, together and apart: %j', (script) => expect(verdict(script, deny)).toBe('deny'));

  it('are told with the pattern as it is written', () => {
    expect(ruleOn({ script: 'rm -f -r x' }, deny)).toEqual({
      verdict: 'deny',
      command: 'rm -f -r x',
      pattern: 'rm -rf *',
    });
    expect(verdict('rm -fr x', { ask: ['rm -rf *'] })).toBe('ask');
    expect(verdict('tar -zvxf a', { deny: ['tar -xzvf *'] })).toBe('deny');
    expect(verdict('shutdown -r -f', { deny: ['shutdown -fr'] })).toBe('deny');
  });

  it.each([
    ['rm -f x', deny],
    ['rm -r x', deny],
    ['rm -rF x', deny],
    ['rm --rf x', deny],
    ['shutdown -frh', { deny: ['shutdown -fr'] }],
    ['sudo sed -i s/a/b/ x', { deny: ['sudo -i *'] }],
    ['ls -rf x', deny],
  ] as const)('others, and those of another command, are not: %j', (script, rules) =>
    expect(verdict(script, rules)).toBe('none'),
  );

  it('are what they are in a pattern for what is allowed', () => {
    expect(verdict('ls -la', { allow: ['ls -la *'] })).toBe('allow');
    expect(verdict('ls -al', { allow: ['ls -la *'] })).toBe('ask');
  });
});

describe('a command that no rule means', () => {
  it.each([
    'rm x',
    'rm -r x',
    'rmdir x',
    'ls /bin/rm',
    'zpool status',
    'zpool list destroy',
    'reboot --help',
    'systemctl stop nginx',
    'tool --wipe',
    'cat /opt/tool',
    'echo done # rm -rf x',
    'git rm --cached -r x',
    'echo x >rm; ls -rf x',
    'echo done >&2',
    'ls &>reboot',
  ])('%j', (script) => expect(verdict(script, deny)).toBe('none'));
});

describe('deny over ask over allow', () => {
  const rules: CommandRules = { deny: ['rm *'], ask: ['rm *', 'systemctl restart *'], allow: ['*'] };

  it.each([
    ['rm x', 'deny'],
    ['systemctl restart nginx', 'ask'],
    ['systemctl status nginx', 'allow'],
    ['systemctl status nginx; systemctl restart nginx', 'ask'],
    ['systemctl restart nginx; rm x', 'deny'],
  ])('%j: %s', (script, expected) => expect(verdict(script, rules)).toBe(expected));

  it('what no pattern means is left to the mode, asked about beside a list of what is allowed, or as it says', () => {
    expect(verdict('uptime', {})).toBe('none');
    expect(verdict('uptime', { ask: ['rm *'] })).toBe('none');
    expect(verdict('uptime', { allow: ['df *'] })).toBe('ask');
    expect(verdict('uptime', { allow: ['df *'], otherwise: 'deny' })).toBe('deny');
    expect(verdict('uptime', { otherwise: 'ask' })).toBe('ask');
  });
});

const allow: CommandRules = {
  allow: ['systemctl status *', 'journalctl *', 'df *', 'find *', 'uptime', 'bash /root/check.sh', 'grep *', 'echo *'],
};

describe('a command that is allowed', () => {
  it.each([
    'systemctl status nginx',
    'systemctl status',
    '/usr/bin/systemctl status nginx',
    '/bin/df -h',
    'uptime',
    ' uptime ',
    'uptime; df -h',
    'uptime\ndf -h\n',
    'uptime && df -h || df',
    'journalctl -u nginx | grep error',
    'journalctl --since "2 hours ago" -n 5',
    "journalctl -g 'a|b; rm -rf x'",
    'journalctl -u $UNIT',
    'journalctl -u "§{UNIT}"',
    'journalctl -u $(uptime)',
    'df -h 2>/dev/null',
    'df -h >/dev/null 2>&1',
    'df -h 2>&1 | grep tank',
    'df -h </dev/null',
    'df -h & uptime',
    'df -h # how full',
    '# how full\ndf -h',
    'df \\\n -h',
    'grep x *.log',
    "echo 'größer'",
    'sudo systemctl status nginx',
    'sudo -n systemctl status nginx',
    'sudo -u root -- df -h',
    'timeout 5 df -h',
    'timeout -k 1s 5s sudo df -h',
    'nice -n 19 ionice -c 3 df -h',
    'nohup df -h',
    'stdbuf -oL journalctl -f',
    "bash -c 'df -h; uptime'",
    "sudo sh -c 'df -h'",
    "sh -c 'sh -c uptime'",
    'bash /root/check.sh',
    'find /srv -name x',
    'find /srv -exec grep x {} +',
  ])('%j', (script) => expect(verdict(script, allow)).toBe('allow'));
});

describe('a command that is not surely the one that is allowed', () => {
  it.each([
    '',
    '# nothing',
    'reboot',
    'systemctl restart nginx',
    'uptime -p',
    'uptime; reboot',
    'df -h | tee /etc/passwd',
    'df -h > /etc/passwd',
    'df -h >> /etc/passwd',
    'df -h >/dev/nullx',
    'df -h >&x',
    'grep x < /etc/shadow > y',
    'echo x > /etc/passwd',
    'echo $(reboot)',
    'echo "$(reboot)"',
    'echo `reboot`',
    'echo "`reboot`"',
    'echo $(echo $(reboot))',
    'echo §{x:-$(reboot)}',
    'echo "§{x:-$(reboot)}"',
    'echo $((x[$(reboot)]))',
    'echo <(reboot)',
    'echo >(reboot)',
    '$X status nginx',
    '"$X" status',
    '$(echo reboot)',
    '`echo reboot`',
    '{df,-h}',
    'd?',
    '/usr/bin/d*',
    '~/df -h',
    './df -h',
    '/tmp/df -h',
    '/tmp/usr/bin/df -h',
    '/usr/bin/../../tmp/df',
    'systemctl $X nginx',
    'systemctl "$X" nginx',
    'systemctl stat* nginx',
    'PATH=/tmp df -h',
    'LD_PRELOAD=/tmp/x.so df -h',
    'PATH=/tmp; df -h',
    'PATH+=:/tmp; df -h',
    'export PATH=/tmp; df -h',
    'env PATH=/tmp df -h',
    'env df -h',
    'sudo PATH=/tmp df -h',
    'sudo -s df -h',
    'sudo -e /etc/passwd',
    'sudo --preserve-env=LD_PRELOAD df -h',
    'sudo -u "$X" df -h',
    'sudo',
    'timeout 5 reboot',
    'timeout df -h',
    'alias df=reboot; df -h',
    'df() { reboot; }; df -h',
    'function df { reboot; }; df -h',
    'eval df -h',
    'source /tmp/x; df',
    '. /tmp/x',
    'exec df -h',
    'if df; then reboot; fi',
    'if df; then df; fi',
    'while df; do df; done',
    'for x in a; do df; done',
    'case x in x) df;; esac',
    '(df -h)',
    '{ df -h; }',
    '! df',
    '[[ -f x ]]',
    '((x=1))',
    'time df -h',
    'coproc df',
    'bash',
    'bash -s',
    'bash -x /root/check.sh',
    'bash /root/other.sh',
    'bash -c "$X"',
    "bash -c 'reboot'",
    "bash -c 'df -h; reboot'",
    'bash -c',
    "bash -i -c 'df'",
    'echo reboot | bash',
    'bash <<EOF\ndf\nEOF',
    'cat <<EOF\ndf\nEOF',
    "bash <<< 'df'",
    'find / -exec reboot \\;',
    "find / -exec sh -c 'df' \\;",
    'grep x $(cat list) > y',
    "df 'unclosed",
    'df "unclosed',
    'echo $(df',
    'df )',
    'df \\',
    "$'df' -h",
    'df -h\u0000',
    'df\u001b -h',
    'df -h\rreboot',
    'df\u00a0-h',
    'df;;df(',
    'xargs df',
    'ssh pve2 df -h',
    'pct exec 400 -- df -h',
  ])('%j', (script) => expect(verdict(script, allow)).toBe('ask'));

  it('given an environment, or to a program that reads it: nobody knows what it is', () => {
    expect(verdict('df -h', allow, { opaque: true })).toBe('ask');
  });
});

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const doubled = (text: string): string => `"${text.replace(/["\\$`]/g, '\\$&')}"`;

/** What takes words runs a list of commands by a shell. */
const asWords = (inner: string): string => (/^[\w\\/. -]+$/.test(inner) ? inner : `sh -c ${quoted(inner)}`);

/** Ways to run a command through something else. */
const wrappers: readonly ((inner: string) => string)[] = [
  (inner) => `sudo ${asWords(inner)}`,
  (inner) => `sudo -n -u root ${asWords(inner)}`,
  (inner) => `nice -n 5 ${asWords(inner)}`,
  (inner) => `timeout 5 ${asWords(inner)}`,
  (inner) => `nohup ${asWords(inner)} &`,
  (inner) => `env A=1 ${asWords(inner)}`,
  (inner) => `A=1 ${asWords(inner)}`,
  (inner) => `true; ${inner}`,
  (inner) => `true && ${inner} || true`,
  (inner) => `( ${inner} )`,
  (inner) => `{ ${inner}; }`,
  (inner) => `if true; then ${inner}; fi`,
  (inner) => `for i in 1; do ${inner}; done`,
  (inner) => `echo $(${inner})`,
  (inner) => `${inner} >/dev/null 2>&1`,
  (inner) => `ssh pve2 ${quoted(inner)}`,
  (inner) => `pct exec 400 -- sh -c ${quoted(inner)}`,
  (inner) => `docker exec web sh -c ${quoted(inner)}`,
  (inner) => `bash -c ${quoted(inner)}`,
  (inner) => `sh -c ${doubled(inner)}`,
  (inner) => `eval ${quoted(inner)}`,
  (inner) => `su - root -c ${quoted(inner)}`,
  (inner) => `find /srv -exec sh -c ${quoted(inner)} \\;`,
];

describe('property', () => {
  it('a denied command is denied in any nest of what runs commands', () => {
    const nest = fc.array(fc.constantFrom(...wrappers), { maxLength: 5 });
    const core = fc.constantFrom('rm -rf /srv/x', 'zpool destroy tank', 'systemctl stop pveproxy', '\\rm -rf x');
    fc.assert(
      fc.property(nest, core, (around, command) => {
        const script = around.reduce<string>((inner, wrap) => wrap(inner), command);
        expect(verdict(script, deny), script).toBe('deny');
        expect(verdict(script, { ...allow, deny: ['nothing *'] }), script).toBe('ask');
      }),
      { numRuns: NESTS },
    );
  });

  it('of any text all is told without failing, and what is allowed is plain', () => {
    const pieces = fc.array(
      fc.constantFrom(
        'df',
        ' ',
        ';',
        '|',
        "'",
        '"',
        '\\',
        '$',
        '(',
        ')',
        '`',
        '>',
        '&',
        '\n',
        '-h',
        '#',
        '{',
        '=',
        'x',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          pieces.map((all) => all.join('')),
        ),
        (script) => {
          if (verdict(script, allow) === 'allow') expect(plainCommands(script)?.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: TEXTS },
    );
  });

  it('a pattern with many stars takes no time', () => {
    const began = performance.now();
    verdict(`echo ${'a'.repeat(100_000)}`, { deny: [`echo ${'*a'.repeat(90)}b`] });
    verdict(`${'sudo '.repeat(5_000)}x`, { deny: ['reboot *', 'rm *'] });
    verdict('x;'.repeat(10_000), { deny: Array.from({ length: 200 }, (_, i) => `p${i} *`) });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('a row of what runs commands takes no time, and is not allowed', () => {
    const began = performance.now();
    for (const one of ['sudo ', 'sudo -n ', 'sudo nice ', 'timeout 5 ', 'nohup ', 'sh -c ']) {
      expect(verdict(`${one.repeat(10_000)}df -h`, allow)).toBe('ask');
    }
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
