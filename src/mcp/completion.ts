import type { Server } from '@modelcontextprotocol/server';
import type { Names } from '../toolsets/names.ts';
import { namesFor } from './resources.ts';
import type { Edge } from './server.ts';

/** A completion gives no more (MCP 2025-11-25, completion/complete). */
const MOST = 100;

/** A guest's name as Proxmox VE has them. One that reads as a sentence would stand in a prompt as our own words. */
export const guestName = /^[\p{L}\p{N}][\p{L}\p{N}._/@-]{0,99}$/u;

/** Guests as a person would name them: by name, or by VMID where that is none, is used twice, or digits are being typed. */
function guestNames({ guests }: Names, typed: string): string[] {
  if (/^\d/.test(typed)) return guests.map(({ vmid }) => String(vmid));
  const used = new Map<string, number>();
  for (const { name } of guests) used.set(name, (used.get(name) ?? 0) + 1);
  return guests.map(({ vmid, name }) => (used.get(name) === 1 && guestName.test(name) ? name : String(vmid)));
}

/** Those that begin with what was typed, then those that have it elsewhere. */
function matching(values: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  const found = values.filter((value) => value.toLowerCase().includes(wanted));
  const begins = (value: string) => value.toLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((value) => !begins(value))];
}

/** Completes the names in resource templates and in the arguments of prompts. */
export function serveCompletion(server: Server, { names, present }: Pick<Edge, 'names' | 'present'>): void {
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }) => {
    const known = await names();
    const all = ref.type === 'ref/resource' ? namesFor(ref.uri, known) : guestNames(known, argument.value);
    const values = matching(all, argument.value).filter((value) => present.line(value) === value);
    return { completion: { values: values.slice(0, MOST), total: values.length, hasMore: values.length > MOST } };
  });
}
