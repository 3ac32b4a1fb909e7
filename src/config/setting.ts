import type { Kind } from './values.ts';

/** The groups in which settings are shown. */
export const groups = {
  proxmox: 'Proxmox VE API',
  ssh: 'SSH',
  safety: 'Safety',
  answers: 'Answers and waiting',
  http: 'HTTP',
  webhooks: 'Webhooks',
} as const;

export type Group = keyof typeof groups;

/** One setting, said once: file, environment, flags, documents and doctor derive from it. */
export interface Setting<T = unknown> extends Kind<T> {
  readonly env: string;
  readonly group: Group;
  /** One sentence for a human. */
  readonly says: string;
  readonly example: string;
  /** Must be set for its group to work. */
  readonly needed?: true;
  /** Not needed, but set by most: left to fill in where settings are begun with. */
  readonly usual?: true;
  /** Held as a Secret, and never taken from the command line. */
  readonly secret?: true;
  /** The value when nothing sets it, as it would be written. `~/.config` and `~/.local/state` follow XDG. */
  readonly initial?: string;
  /** What is used when nothing sets it, in words, where that depends on the machine. */
  readonly otherwise?: string;
  /** The cure of a wrong value, where "must be …" does not say enough. */
  readonly cure?: string;
}
