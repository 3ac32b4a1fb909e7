import type { ZodType } from 'zod';
import type { PvePath } from './path.ts';

/** Values as Proxmox VE takes them: booleans are sent as 1 and 0, arrays as repeated keys, `undefined` is left out. */
export type PveParams = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

export interface PveCallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The REST API of one Proxmox VE endpoint. Reads are parsed by `shape` (the fields used, nothing else; the server does
 * not keep to its own `returns`) and retried at most twice; a write leaves at most once.
 * Every failure is a `Failure`; 595 to 599 or a lost connection on a write is `outcome-unknown`.
 */
export interface Pve {
  /** `host:port`, for messages. */
  readonly endpoint: string;
  get<T>(path: PvePath, shape: ZodType<T>, params?: PveParams, options?: PveCallOptions): Promise<T>;
  /** The `data` of the answer: a UPID string for a task, null for a change that is done at once, else an object. */
  post(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  put(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  delete(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  close(): Promise<void>;
}
