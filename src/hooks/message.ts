import { createHmac, randomBytes } from 'node:crypto';
import type { Redact } from '../present/redact.ts';
import { visibleLine } from '../present/visible.ts';
import type { Secret } from '../secret.ts';
import type { Data, Happening } from './events.ts';

const LONGEST_VALUE = 160;
const LONGEST_LIST = 20;

/** One event as it is posted: the same id and body at every attempt. */
export interface Message {
  readonly id: string;
  /** JSON, 8 KiB at most. */
  readonly body: string;
}

/** Redacted before it is cut, or a part of a secret would be left. */
const told = (text: string, redact: Redact): string => [...visibleLine(redact(text))].slice(0, LONGEST_VALUE).join('');

function toldData(data: Data, redact: Redact): Data {
  const value = (one: Data[string]): Data[string] => {
    if (typeof one === 'string') return told(one, redact);
    return Array.isArray(one) ? one.slice(0, LONGEST_LIST).map((part) => told(String(part), redact)) : one;
  };
  return Object.fromEntries(Object.entries(data).map(([name, one]) => [name, value(one)]));
}

/** The event with an id of its own; whatever somebody else may have written is redacted, in one line, and short. */
export function messageOf({ type, data }: Happening, version: string, redact: Redact): Message {
  const id = `msg_${randomBytes(16).toString('hex')}`;
  const time = new Date().toISOString();
  return { id, body: JSON.stringify({ id, type, time, version, data: toldData(data, redact) }) };
}

/** The headers of an attempt that is made at `at` (ms since 1970), as Standard Webhooks 1.0.0 has them. */
export function headersOf({ id, body }: Message, secret: Secret, version: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.reveal(), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': `proxmox-ssh-mcp/${version}`,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
