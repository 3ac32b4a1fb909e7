import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export const bin = resolve(import.meta.dirname, '../../bin/proxmox-ssh-mcp.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs the built program as a process of its own, with nothing in its environment but what is given. */
export async function cli(args: readonly string[], given: Given): Promise<Ran> {
  return collect(process.execPath, [bin, ...args], given);
}

/** The same on a terminal, by script(1); what is typed is `input`. stderr comes with stdout, as on any terminal. */
export async function onTerminal(args: readonly string[], given: Given): Promise<Ran> {
  const line = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
  return collect('script', ['-qefc', line, '/dev/null'], given);
}

async function collect(file: string, args: readonly string[], { home, env, input }: Given): Promise<Ran> {
  const child = spawn(file, args, { env: { HOME: home, PATH: process.env.PATH ?? '', ...env } });
  // A program that refuses its command line may be gone before it is given its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}
