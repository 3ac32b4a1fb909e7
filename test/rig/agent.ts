import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wire } from '../../src/pve/wire.ts';

interface Started {
  readonly out: Buffer[];
  readonly err: Buffer[];
  end?: { readonly exitcode?: number; readonly signal?: number };
}

const numbers: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15 };

/** A descriptor to read these bytes from. Node's pipes are sockets, at which bash reads ~/.bashrc; an agent's are none. */
function opened(bytes: Buffer): number {
  const file = join(tmpdir(), `psm-input-${randomUUID()}`);
  writeFileSync(file, bytes, { mode: 0o600 });
  const input = openSync(file, 'r');
  rmSync(file);
  return input;
}

/**
 * A guest agent whose VM is this machine: calls of agent/exec and agent/exec-status start real processes and tell of
 * their end once, as qemu-ga and Proxmox VE do (recordings exec-*). All else goes to the wire behind.
 */
export function realAgent(): (wire: Wire) => Wire {
  const processes = new Map<number, Started>();
  const answer = (data: unknown) => ({ status: 200, statusText: 'OK', body: JSON.stringify({ data }) });
  const exec = (body: string) => {
    const form = new URLSearchParams(body);
    const [program = '', ...args] = form.getAll('command');
    const input = opened(Buffer.from(form.get('input-data') ?? '', 'latin1'));
    const child = spawn(program, args, { cwd: '/', env: { PATH: process.env.PATH }, stdio: [input, 'pipe', 'pipe'] });
    closeSync(input);
    const started: Started = { out: [], err: [] };
    child.stdout?.on('data', (data: Buffer) => started.out.push(data));
    child.stderr?.on('data', (data: Buffer) => started.err.push(data));
    // An agent tells no end before the output is closed (QEMU, qga/commands.c, qmp_guest_exec_status).
    child.on('close', (code, signal) => {
      started.end = code === null ? { signal: numbers[signal ?? ''] ?? 0 } : { exitcode: code };
    });
    processes.set(child.pid ?? 0, started);
    return answer({ pid: child.pid });
  };
  const status = (pid: number) => {
    const known = processes.get(pid);
    if (!known) {
      const message = 'Agent error: PID ld does not exist';
      return { status: 500, statusText: message, body: JSON.stringify({ data: null, message: `${message}\n` }) };
    }
    if (!known.end) return answer({ exited: 0 });
    processes.delete(pid);
    const text = (data: readonly Buffer[]) => Buffer.concat(data).toString('latin1');
    const output = { 'out-data': text(known.out), 'err-data': text(known.err), 'out-truncated': 0, 'err-truncated': 0 };
    return answer({ exited: 1, ...known.end, ...output });
  };
  return (wire) => ({
    ...wire,
    send: async (request) => {
      const [path = '', query] = request.path.split('?');
      if (path.endsWith('/agent/exec')) return exec(request.body ?? '');
      if (path.endsWith('/agent/exec-status')) return status(Number(new URLSearchParams(query).get('pid')));
      return wire.send(request);
    },
  });
}
