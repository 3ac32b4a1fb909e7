import { Failure } from '../failure.ts';

/** The parts of a task's id. */
export interface Upid {
  readonly node: string;
  /** `vzstart`, `qmsnapshot`, `vzdump`, … */
  readonly type: string;
  /** What the task works on, mostly a VMID; empty for tasks of the node itself. */
  readonly id: string;
  /** `root@pam`, or `root@pam!mcp` when a token started it. */
  readonly user: string;
  /** Seconds since 1970, by the node's clock. */
  readonly startTime: number;
}

/** UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER: with hexadecimal numbers (pve-common, PVE/UPID.pm). */
const form =
  /^UPID:([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?):[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:([0-9A-Fa-f]{8}):([^:\s/]+):([^:\s/]*):([^:\s]+):$/;

/** Reads a task id; fails `invalid-input` on anything else. */
export function parseUpid(text: string): Upid {
  const [, node, start, type, id, user] = form.exec(text) ?? [];
  if (node === undefined || start === undefined || type === undefined || id === undefined || user === undefined) {
    const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
    throw new Failure(
      'invalid-input',
      `"${shown}" is not a task id.`,
      'A task id looks like UPID:pve1:0004F2A1:0183BC2E:68AF3C11:vzstart:400:root@pam!mcp: and ends in a colon.',
    );
  }
  return { node, type, id, user, startTime: Number.parseInt(start, 16) };
}
