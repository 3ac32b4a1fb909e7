import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alarmFor } from '../../src/toolsets/ssh/alarm.ts';
import { commandsIn } from '../../src/toolsets/ssh/words.ts';

const onHost = (script: string) => alarmFor({ script }, false);
const inContainer = (script: string) => alarmFor({ script }, true);

describe('the alarm: commands that nobody runs by the way', () => {
  it.each([
    'rm -rf /',
    'rm -rf /*',
    'rm -fr -- /',
    'rm -r --no-preserve-root /tmp',
    'rm -Rf //',
    'rm -rf /tmp/../etc',
    'rm -rf /etc/',
    'rm -rf "/var/lib"',
    "rm -rf '/usr'/*",
    'rm -rf ~',
    'rm -rf $HOME/*',
    '/bin/rm -rf /boot',
    'cd / && rm -rf *',
    'cd /var; rm -rf ./lib',
    'find / -name core -delete',
    'find /srv -exec rm -rf /etc {} +',
    'chmod -R 777 /',
    'chown -R www-data /usr',
    'mkfs.ext4 /dev/sdb1',
    'mkfs -t xfs /dev/vda',
    'wipefs -a /dev/sdc',
    'blkdiscard /dev/nvme0n1',
    'dd if=/dev/zero of=/dev/sda bs=1M',
    'cat image > /dev/sda',
    'cat image >/dev/nvme0n1',
    '> /dev/sda',
    '>& /dev/sda',
    '&> /dev/sda',
    '>&2 rm -rf /etc',
    '2>/dev/null rm -rf /etc',
    'rm 2>&1 -rf /etc',
    'zpool &>/dev/null destroy tank',
    'time { rm -rf /etc; }',
    'cat </dev/zero >/dev/vg0/root',
    'echo x | tee /dev/mapper/pve-root',
    'cp image.raw /dev/zvol/rpool/vm-100-disk-0',
    'zpool destroy tank',
    'zfs destroy -r tank/data',
    'lvremove -f pve/vm-100-disk-0',
    'vgremove pve',
    'pvremove /dev/sdb',
    'lvm lvremove pve/root',
    'pct destroy 400',
    'qm destroy 100 --purge',
    'pvesh delete /nodes/pve1/lxc/400',
    'pveum user token remove root@pam mcp',
    'pveum user delete root@pam',
    'shutdown -h now',
    'reboot',
    '/sbin/poweroff',
    'halt -p',
    'init 6',
    'systemctl reboot',
    ':(){ :|:& };:',
    'bomb() { bomb | bomb & }; bomb',
    'iptables -F',
    'iptables -t nat --flush',
    'nft flush ruleset',
    'systemctl stop pveproxy',
    'systemctl disable --now ssh.service',
    'service ssh stop',
    'systemctl stop pve-cluster',
  ])('asks about %s', (script) => {
    expect(onHost(script)).toMatch(/^It .*\.$/);
  });

  it.each([
    'sudo rm -rf /etc',
    'sudo -u root rm -rf /etc',
    'sudo -n -- nice -n 5 timeout 10 rm -rf /',
    'FORCE=1 env A=b rm -rf /usr',
    'true && { rm -rf /; }',
    'if true; then rm -rf /; fi',
    'ls | xargs -I{} rm -rf /etc',
    'echo $(rm -rf /)',
    'echo `rm -rf /`',
    'echo "$(rm -rf /)"',
    'sh -c "rm -rf /"',
    "bash -c 'cd /tmp && sudo rm -rf /etc'",
    'ssh pve2 reboot',
    "ssh pve2 'zpool destroy tank'",
    'pct exec 400 -- rm -rf /',
    'rm -rf \\\n  /etc',
    'ls\nrm -rf /\nls',
    'cat <<EOF | sh\nrm -rf /\nEOF',
    'r\\m -rf /',
    '"rm" -rf /',
  ])('sees through %s', (script) => {
    expect(onHost(script)).toBeDefined();
  });

  it('would rather ask about a quotation than miss a command', () => {
    expect(onHost('echo "rm -rf /"')).toBeDefined();
  });

  it('looks at what a shell is given on standard input, and not at what other programs are', () => {
    expect(alarmFor({ script: 'bash -s', stdin: 'rm -rf /' }, false)).toBeDefined();
    expect(alarmFor({ script: 'cat > notes.txt', stdin: 'rm -rf /' }, false)).toBeUndefined();
  });

  it('knows the directory that the command runs in', () => {
    expect(alarmFor({ script: 'rm -rf *', cwd: '/' }, false)).toBeDefined();
    expect(alarmFor({ script: 'rm -rf *', cwd: '/tmp/build' }, false)).toBeUndefined();
    expect(onHost('rm -rf *')).toBeUndefined();
  });

  it.each(['reboot', 'systemctl stop ssh', 'iptables -F'])('lets a container do %s to itself', (script) => {
    expect(onHost(script)).toBeDefined();
    expect(inContainer(script)).toBeUndefined();
  });

  it.each(['rm -rf /', 'mkfs.ext4 /dev/sda'])('asks about %s in a container too', (script) => {
    expect(inContainer(script)).toBeDefined();
  });
});

describe('the alarm stays silent', () => {
  it.each([
    'ls',
    'ls -la /',
    'ls -R /etc',
    'rm file',
    'rm -rf /tmp/build',
    'rm -rf ./node_modules build/',
    'rm -rf /var/www/site/cache',
    'rm /etc/nginx/sites-enabled/old',
    'grep -rf patterns /etc',
    'cp -r /etc /root/backup',
    'dd if=/dev/sda of=/root/mbr.img count=1',
    'dd if=/dev/zero of=/tmp/swapfile',
    'echo hi > /dev/null',
    'cat /dev/sda1 > /root/image',
    'wipefs /dev/sda',
    'sgdisk -p /dev/sda',
    'echo hi >/dev/tcp/10.0.0.1/80',
    'cp x /dev/shm/y',
    'zpool status',
    'zfs list -t snapshot',
    'lvs; vgs; pvs',
    'pct list && pct config 400',
    'qm status 100',
    'pveum user list',
    'grep reboot /var/log/syslog',
    'sudo grep reboot /var/log/syslog',
    'last reboot',
    'man shutdown',
    'find / -name reboot',
    'shutdown -c',
    'systemctl status pveproxy',
    'systemctl restart ssh',
    'systemctl stop nginx',
    'journalctl -u ssh --since today',
    'iptables -L -n',
    'docker ps --format "{{.Names}}"',
    'docker compose down',
    'init_db --now',
    '# rm -rf /\nls',
    'chmod -R 755 /var/www/html',
    'apt-get update && apt-get -y upgrade',
    'f() { echo hi | cat & }; f',
    '',
  ])('at %s', (script) => {
    expect(onHost(script)).toBeUndefined();
  });

  it('at any command whose words are harmless, however they are put together', () => {
    const word = fc.constantFrom('ls', '-la', '/etc', 'cat', 'grep', '-r', 'x', '/var/log', 'echo', "'a b'", '"c;d"');
    const glue = fc.constantFrom(' ', ' ; ', ' && ', ' | ', '\n', ' $(', ') ', ' # ');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, glue), { maxLength: 30 }), (parts) => {
        expect(onHost(parts.flat().join(''))).toBeUndefined();
      }),
    );
  });
});

describe('shell words', () => {
  it('come without quotes, one list for each command, with what is quoted read again', () => {
    expect(commandsIn(`A=1 echo "a b" 'c'd \\e;ls>out #no\n`)).toEqual([
      ['A=1', 'echo', 'a b', 'cd', 'e'],
      ['ls', '>', 'out'],
      ['a', 'b'],
    ]);
  });

  it('are read from any text without failing, each command with at least one word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(commandsIn(text).every((words) => words.length > 0)).toBe(true);
        expect(() => onHost(text)).not.toThrow();
      }),
    );
  });

  it.each([
    ['words', 'a '.repeat(524_288)],
    ['one word', 'a'.repeat(1_048_576)],
    ['quotes', `"' `.repeat(349_525)],
    ['backslashes', '\\'.repeat(1_048_576)],
    ['commands', 'sudo -n '.repeat(131_072)],
    ['semicolons', ';'.repeat(1_048_576)],
  ])('of a megabyte of %s are looked through in linear time', (_, script) => {
    const began = performance.now();
    onHost(script);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
