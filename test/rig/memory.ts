import { readFileSync } from 'node:fs';

/** Memory of a process as the kernel counts it, in MiB: what is resident now, or the most that ever was. */
export function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const [, kib] = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
