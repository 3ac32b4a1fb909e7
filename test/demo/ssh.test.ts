import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SshHost, startSshHost } from '../../src/demo/ssh/host.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import type { Failure } from '../../src/failure.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';

let world: World;
let host: SshHost;
let folder: string;
let client: Client;

beforeAll(async () => {
  world = createWorld({ taskSpeed: 0 });
  host = await startSshHost(world);
  folder = await mkdtemp(join(tmpdir(), 'psm-demo-ssh-'));
  await writeFile(join(folder, 'key'), host.clientKey, { mode: 0o600 });
  await writeFile(join(folder, 'known_hosts'), `${host.hostKeyLine}\n`);
  world.power({ node: 'pve1', kind: 'lxc', vmid: 400 }, 'start', { user: 'root@pam' });
  client = await login(host);
});

afterAll(async () => {
  client.end();
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

async function login({ port, user, clientKey }: SshHost): Promise<Client> {
  const each = new ssh2.Client().on('error', () => {});
  each.connect({ sock: connect({ port, noDelay: true }), username: user, privateKey: clientKey });
  await once(each, 'ready');
  return each;
}

interface Ran {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
  readonly signal?: string;
}

/** A command that runs; what comes from it is caught from the turn on in which it was taken. */
interface Running {
  readonly channel: ClientChannel;
  readonly over: Promise<Ran>;
  /** The next line of its output. */
  line(): Promise<string>;
}

const running = (command: string, by = client): Promise<Running> =>
  new Promise((resolve, reject) => {
    by.exec(command, (error, channel) => (error ? reject(error) : resolve(followed(channel))));
  });

function followed(channel: ClientChannel): Running {
  const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
  const [out, err]: Buffer[][] = [[], []];
  channel.on('data', (data: Buffer) => out?.push(data));
  channel.stderr.on('data', (data: Buffer) => err?.push(data));
  const text = (chunks: Buffer[] = []) => Buffer.concat(chunks).toString('utf8');
  const ended = Promise.all([once(channel, 'exit'), once(channel, 'close')]);
  return {
    channel,
    over: ended.then(([[code, signal]]) => ({ out: text(out), err: text(err), code, signal })),
    line: async () => (await lines.next()).value ?? '',
  };
}

/** Runs it over ssh2, with `input` as its whole standard input. */
async function ran(command: string, input = '', by = client): Promise<Ran> {
  const { channel, over } = await running(command, by);
  channel.end(input);
  return over;
}

const options = (key: string) => [
  ...['-p', String(host.port), '-i', key, '-F', 'none', '-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`],
  ...['-o', 'GlobalKnownHostsFile=none', '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none', '-o', 'BatchMode=yes'],
];

/** Runs it with the system's own ssh. */
async function bySystem(command: string, input = '', key = join(folder, 'key')): Promise<Ran> {
  const child = spawn('ssh', [...options(key), `${host.user}@127.0.0.1`, command]);
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString('utf8');
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString('utf8');
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { out, err, code };
}

describe('the SSH server of the demo', () => {
  it('shows the host key that it says it has', async () => {
    const { stdout } = await promisify(execFile)('ssh-keygen', ['-l', '-f', join(folder, 'known_hosts')]);
    expect(stdout).toContain(host.hostKeyFingerprint);
  });

  it("serves the system's ssh: output, errors, input and exit code", async () => {
    const result = await bySystem('tr a-z A-Z; echo gone wrong >&2; exit 300', 'from here\n');
    expect(result).toMatchObject({ out: 'FROM HERE\n', err: 'gone wrong\n', code: 44 });
  });

  it('lets no other key in, no password and no other user', async () => {
    const other = join(folder, 'other');
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    expect((await bySystem('id', '', other)).err).toContain('Permission denied (publickey)');
    const refusal = async (login: Record<string, string>): Promise<string> => {
      const each = new ssh2.Client();
      each.connect({ host: '127.0.0.1', port: host.port, ...login });
      const [error] = await once(each, 'error');
      return (error as Error).message;
    };
    const message = 'All configured authentication methods failed';
    expect(await refusal({ username: 'root', password: 'root' })).toBe(message);
    expect(await refusal({ username: 'admin', privateKey: host.clientKey })).toBe(message);
  });

  it('sends output as it comes, and reads input as it is asked for', async () => {
    const script = 'echo "first $$"; read -r word; echo "then $word"; cat; for i in 1 2; do echo $i; sleep 1000; done';
    const { channel, line } = await running(script);
    expect(await line()).toMatch(/^first \d+$/);
    channel.write('said\nand ');
    expect(await line()).toBe('then said');
    channel.end('the rest\n');
    expect(await line()).toBe('and the rest');
    expect(await line()).toBe('1');
    channel.close();
  });

  it('hands a process over to another by exec, and to the program that a script ends with', async () => {
    const line = `exec env PSM_X=it\\'s "$SHELL" -c 'echo "$0 $PSM_X $1"; exec sh -c "exit 7"; echo not this' zero one`;
    expect(await ran(line)).toMatchObject({ out: "zero it's one\n", err: '', code: 7 });
    expect(await ran('x=$(head -c 3); case $x in abc) eval "cat; exit 5" ;; esac', 'abcdef')).toMatchObject({
      out: 'def',
      code: 5,
    });
  });

  it('tells which signal ended a process', async () => {
    expect(await ran('echo before; kill -TERM $$; echo after')).toMatchObject({ out: 'before\n', signal: 'SIGTERM' });
  });

  it('ends the processes of a channel that is closed', async () => {
    const { channel, line } = await running('export MARK=closed; echo up; sleep 1000');
    expect(await line()).toBe('up');
    expect((await ran('grep -lsF MARK=closed /proc/[0-9]*/environ')).out).toMatch(/^\/proc\/\d+\/environ\n$/);
    channel.close();
    await once(channel, 'close');
    expect((await ran('grep -lsF MARK=closed /proc/[0-9]*/environ')).out).toBe('');
  });

  it('serves each node for itself', async () => {
    const second = await startSshHost(world, { node: 'pve2' });
    const other = await login(second);
    try {
      const command = 'hostname; pct list; qm list | grep -c 300';
      expect((await ran(command, '', other)).out).toMatch(/^pve2\nVMID[^\n]*\n1\n$/);
    } finally {
      other.end();
      await second.stop();
    }
  });
});

describe('the programs of the demo', () => {
  it('pct: lists containers, runs in one that runs, and words what it refuses as Proxmox VE does', async () => {
    expect((await ran('pct list')).out).toContain('400        running                 keycloak');
    expect(
      await ran('pct exec 400 --keep-env 0 -- sh -s "a b"', 'echo "$1 $container"; cat /etc/hostname; exit 9'),
    ).toEqual({
      out: 'a b lxc\nkeycloak\n',
      err: '',
      code: 9,
      signal: undefined,
    });
    expect(await ran('pct exec 999 -- true')).toMatchObject({
      err: "Configuration file 'nodes/pve1/lxc/999.conf' does not exist\n",
      code: 2,
    });
    const guest = world.guest(102);
    if (guest) guest.status = 'stopped';
    expect(await ran('pct exec 102 -- true')).toMatchObject({ err: "container '102' not running!\n", code: 255 });
    expect((await ran('pct status 102')).out).toBe('status: stopped\n');
  });

  it('docker: only where it is installed; stop, start and ps agree', async () => {
    expect(await ran('docker ps')).toMatchObject({ err: 'bash: docker: command not found\n', code: 127 });
    expect(await ran('pct exec 101 -- docker ps')).toMatchObject({ code: 127 });
    const rows = async () => (await ran('pct exec 400 -- docker ps --format json')).out;
    expect(JSON.parse(await rows())).toMatchObject({ Names: 'keycloak', State: 'running' });
    expect((await ran('pct exec 400 -- docker ps')).out).toMatch(
      /^CONTAINER ID .* NAMES\n3f1c9a7be204 .* Up .* keycloak\n$/,
    );
    expect((await ran('pct exec 400 -- docker stop keycloak')).out).toBe('keycloak\n');
    expect(await rows()).toBe('');
    expect((await ran('pct exec 400 -- docker ps -a')).out).toContain('Exited (0)');
    await ran('pct exec 400 -- docker start keycloak');
    expect(await rows()).toContain('Up ');
    expect((await ran('pct exec 400 -- docker logs --tail 1 keycloak')).out).toMatch(/Profile prod activated\.\n$/);
  });

  it('systemctl and journalctl: a restart shows in the log, and to the API', async () => {
    const before = world.node('pve1')?.services.find(({ name }) => name === 'webzfs')?.pid;
    const { out, code } = await ran('systemctl restart webzfs && journalctl -u webzfs -n 3 --no-pager');
    expect({ code, lines: out.split('\n').length }).toEqual({ code: 0, lines: 4 });
    expect(out).toMatch(/systemd\[1\]: Stopped webzfs\.service.*\n.*Started webzfs\.service.*\n.*webzfs\[\d+\]: /);
    expect(world.node('pve1')?.services.find(({ name }) => name === 'webzfs')?.pid).not.toBe(before);
    expect(await ran('systemctl stop webzfs; systemctl is-active webzfs')).toMatchObject({
      out: 'inactive\n',
      code: 3,
    });
    await ran('systemctl start webzfs');
    expect((await ran('systemctl status webzfs')).out).toContain('Active: active (running) since');
    expect(await ran('systemctl restart nope')).toMatchObject({ code: 5, err: expect.stringContaining('not found') });
  });

  it.each([
    ['hostname', 'pve1\n'],
    ['id -u; whoami', '0\nroot\n'],
    ['uname -s; nproc', 'Linux\n16\n'],
    ["free -g | awk '/^Mem/ { print $2 }'", '64\n'],
    ["df -h / | awk 'NR == 2 { print $2, $6 }'", '94G /\n'],
    ["ip -4 addr | grep -o '192.168.2.11/24'", '192.168.2.11/24\n'],
    ['zpool list | grep -c ONLINE', '1\n'],
    ['pvesh get /version --output-format json | jq -r .release', '9.2\n'],
    ['sudo -n -u root env A=b sh -c \'echo "$A"\'', 'b\n'],
    ['setsid nohup nice -n 5 echo on', 'on\n'],
  ])('%s', async (command, out) => {
    expect(await ran(command)).toMatchObject({ out, code: 0 });
  });
});

describe('the real machine behind the demo', () => {
  it('has no file that can be read or written', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, 'real');
    expect(await ran(`cat ${secret}`)).toMatchObject({ out: '', err: expect.stringContaining('No such file') });
    expect((await ran(`echo changed > ${secret}; cat ${secret}`)).out).toBe('changed\n');
    expect(await promisify(execFile)('cat', [secret])).toMatchObject({ stdout: 'real' });
    expect((await ran('ls /')).out).not.toMatch(/home|usr\/share|boot/);
  });

  it('shows no environment and no process', async () => {
    const name = 'PSM_REAL_ENVIRONMENT';
    process.env[name] = 'real';
    try {
      expect((await ran('env; printenv; set; cat /proc/*/environ')).out).not.toContain(name);
      expect((await ran(`kill -0 ${process.pid}`)).code).toBe(1);
      expect((await ran(`ls /proc/${process.pid}`)).code).not.toBe(0);
    } finally {
      delete process.env[name];
    }
  });

  it('has no network and no interpreter of its own', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const url = `127.0.0.1:${port}`;
    const tries = [
      `curl ${url}`,
      `wget ${url}`,
      `nc 127.0.0.1 ${port}`,
      `echo x > /dev/tcp/127.0.0.1/${port}`,
      `ssh ${url}`,
    ];
    const others = ['node -e 0', 'python3 -c 1', 'perl -e 1', 'js-exec -c 1', '/usr/bin/env node -e 0'];
    for (const command of [...tries.filter((each) => !each.startsWith('echo')), ...others]) {
      expect(await ran(command), command).toMatchObject({ code: expect.toSatisfy((code: number) => code !== 0) });
    }
    for (const command of tries) await ran(command);
    listener.close();
    await once(listener, 'close');
    expect(connections).toBe(0);
  });
});

describe('our own SSH client on the demo', () => {
  it('runs scripts with input, folder and variables, and sees that what timed out is gone', async () => {
    const knownHosts = join(folder, 'known_hosts');
    await chmod(knownHosts, 0o600);
    const pool = createPool({
      knownHosts: [knownHosts],
      ownKnownHosts: join(folder, 'own'),
      acceptNew: false,
      connectTimeoutMs: 10_000,
    });
    const ssh = createSsh(pool);
    const spec = { name: 'pve1', address: '127.0.0.1', port: host.port, user: 'root', keyPath: join(folder, 'key') };
    try {
      const command = { script: 'pwd\necho "$X"\ncat', cwd: '/tmp', env: { X: "it's é" }, stdin: 'in', container: 400 };
      const result = await ssh.run(spec, { ...command, timeoutMs: 20_000 });
      expect(result).toMatchObject({ exitCode: 0, stdout: { text: "/tmp\nit's é\nin" } });
      const slow = ssh.run(spec, { script: 'echo begun; sleep 1000', container: 400, timeoutMs: 300 });
      const failure = (await slow.catch((error: unknown) => error)) as Failure;
      expect(failure.facts).toMatchObject({ remote_process: 'terminated', stdout: { text: 'begun\n' } });
      expect((await ran('ps -eo args | grep -c "sleep 1000"')).out).toBe('1\n');
    } finally {
      await ssh.close();
    }
  });
});
