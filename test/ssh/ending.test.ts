import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ServerChannel } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { newKeyPair } from '../../src/demo/ssh/keys.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that ends commands in ways that OpenSSH does not; gives what runs a command on it. */
async function serverThat(ends: (channel: ServerChannel, socket: Socket) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'psm-ending-'));
  const [host, client] = [await newKeyPair(), await newKeyPair()];
  const server = new ssh2.Server({ hostKeys: [host.pem] });
  const listener = createServer((socket) => {
    server.injectSocket(socket);
    socket.on('error', () => {});
  });
  const sockets: Socket[] = [];
  listener.on('connection', (socket) => sockets.push(socket));
  server.on('connection', (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (accept) =>
      accept().on('exec', (take, _, { command }) => {
        const channel = take();
        const mark = /%s at %s\\n' ([0-9a-f]+)/.exec(command)?.[1];
        channel.stderr.write(`${mark} at 1\n`);
        channel.write('out\n', () => ends(channel, sockets.at(-1) as Socket));
      }),
    );
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${host.line}\n`);
  writeFileSync(join(folder, 'key'), client.pem, { mode: 0o600 });
  const ssh = createSsh(createPool({ knownHosts: [join(folder, 'known_hosts')], ownKnownHosts: join(folder, 'own') }));
  stops.push(() => {
    ssh.close();
    listener.close();
    rmSync(folder, { recursive: true });
  });
  const spec = { name: 'odd', address: '127.0.0.1', port, user: 'root', keyPath: join(folder, 'key') };
  return () => ssh.run(spec, { script: 'true', timeoutMs: 9_000 });
}

describe('the end of a command', () => {
  it('without an exit status is a result without exit code', async () => {
    const run = await serverThat((channel) => channel.close());
    const result = await run();
    expect(result.stdout.text).toBe('out\n');
    expect(result.exitCode).toBeUndefined();
    expect(result.signal).toBeUndefined();
  });

  it('before the connection is lost is told with what may be missing', async () => {
    const run = await serverThat((channel, socket) => {
      channel.exit(3);
      setImmediate(() => socket.destroy());
    });
    await expect(run()).rejects.toMatchObject({
      kind: 'outcome-unknown',
      message: 'Connection to odd was lost right after the command ended with exit code 3; output may be missing.',
      facts: { exit_code: 3, stdout: { text: 'out\n' } },
    });
  });

  it('by a lost connection is never a result', async () => {
    const run = await serverThat((_, socket) => setImmediate(() => socket.destroy()));
    await expect(run()).rejects.toMatchObject({ kind: 'outcome-unknown', facts: { stdout: { text: 'out\n' } } });
  });

  it('at the close of an exit that the server tells before the last output has that output', async () => {
    const run = await serverThat((channel) => {
      channel.exit(0);
      setTimeout(() => channel.end('late\n'), 100);
    });
    const result = await run();
    expect(result).toMatchObject({ exitCode: 0, stdout: { text: 'out\nlate\n' } });
    expect(result.backgroundHoldsOutput).toBeUndefined();
  });
});
