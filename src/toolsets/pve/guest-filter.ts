import { z } from 'zod';
import type { Guest } from '../../pve/guests.ts';
import { node } from '../params.ts';

/** The parameters by which guests are chosen. */
export const guestFilter = {
  kind: z.enum(['lxc', 'qemu']).optional().describe('Kind.'),
  status: z
    .enum(['running', 'stopped', 'paused', 'suspended', 'unknown', 'template'])
    .optional()
    .describe('unknown: the node is offline.'),
  node: node.optional(),
  name: z.string().optional().describe('Part of the name.'),
  tag: z.string().optional().describe('Tag.'),
  pool: z.string().optional().describe('Resource pool.'),
};

/** A template is never run, so that it is not one of the stopped guests. */
export const stateOf = ({ template, status }: Guest): string => (template ? 'template' : status);

export const matches = (
  guest: Guest,
  { kind, status, node, name, tag, pool }: z.infer<z.ZodObject<typeof guestFilter>>,
): boolean =>
  (kind === undefined || guest.kind === kind) &&
  (status === undefined || stateOf(guest) === status) &&
  (node === undefined || guest.node === node) &&
  (name === undefined || guest.name.toLowerCase().includes(name.toLowerCase())) &&
  (tag === undefined || guest.tags.includes(tag)) &&
  (pool === undefined || guest.pool === pool);

/** Why nothing was found, where that can be told. */
export function emptyNotes(guests: readonly Guest[], found: readonly Guest[], node: string | undefined): string[] {
  if (guests.length === 0) return ['The token sees no guest at all: there are none, or it lacks VM.Audit on /vms.'];
  if (found.length > 0 || node === undefined) return [];
  const nodes = [...new Set(guests.map((guest) => guest.node))].sort();
  return nodes.includes(node) ? [] : [`No guest is on a node named ${node}; guests are on ${nodes.join(', ')}.`];
}
