import type { ServerChannel, Session } from 'ssh2';
import { Input } from './input.ts';
import type { Interpreter } from './interpreter.ts';
import type { Machine } from './machine.ts';
import { type Process, signalName } from './proc.ts';
import { runChild } from './table.ts';

/** Serves one SSH session of root on `machine`: a command, or a shell that runs what comes on its input. */
export function serveSession(session: Session, machine: Machine, interpreter: Interpreter): void {
  const env: Record<string, string> = {
    HOME: '/root',
    LOGNAME: 'root',
    USER: 'root',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  const ending = new AbortController();
  session.on('env', (accept, reject, { key, val }) => {
    // What Debian's sshd accepts: AcceptEnv LANG LC_*.
    const accepted = /^(LANG|LC_\w+)$/.test(key);
    if (accepted) env[key] = val;
    (accepted ? accept : reject)?.();
  });
  session.on('pty', (accept) => accept?.());
  session.on('signal', (accept, _reject, { name }) => {
    accept?.();
    ending.abort(signalName(name) ?? 'TERM');
  });
  const run = (channel: ServerChannel, argv: readonly string[]) => {
    channel.on('close', () => ending.abort('closed'));
    channel.on('error', () => ending.abort('closed'));
    const login = { machine, pid: 1, env, cwd: '/root', signal: ending.signal, ...streamsOf(channel) };
    serve(channel, login, argv, interpreter).catch((error: unknown) => {
      login.err(`the demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
      channel.exit(255);
      channel.end();
    });
  };
  session.on('exec', (accept, _reject, { command }) => run(accept(), ['bash', '-c', command]));
  session.on('shell', (accept) => run(accept(), ['bash', '-s']));
}

/** Runs `argv` on the channel and ends it with the exit code, or with the signal that ended the process. */
async function serve(
  channel: ServerChannel,
  login: Process,
  argv: readonly string[],
  interpreter: Interpreter,
): Promise<void> {
  const status = { signal: login.signal };
  const code = await runChild(login, argv, {}, (proc) => {
    status.signal = proc.signal;
    return interpreter.command(argv, proc);
  });
  if (login.signal.reason === 'closed') return;
  if (status.signal.aborted) channel.exit(String(status.signal.reason));
  else channel.exit(code);
  channel.end();
}

function streamsOf(channel: ServerChannel): Pick<Process, 'stdin' | 'out' | 'err'> {
  const stdin = new Input();
  channel.on('data', (data: Buffer) => stdin.push(data));
  channel.once('end', () => stdin.end()).once('close', () => stdin.end());
  return {
    stdin,
    out: (data) => void (channel.writable && channel.write(data)),
    err: (data) => void (channel.writable && channel.stderr.write(data)),
  };
}
