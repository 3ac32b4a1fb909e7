import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peers } from '../scripts/peers/index.ts';
import { tools } from '../src/toolsets/index.ts';

const root = join(import.meta.dirname, '..');

it('every function of the peers is counted', () => {
  const counts = Object.fromEntries(peers.map(({ id, rows }) => [id, new Set(rows.map(({ name }) => name)).size]));
  expect(counts).toEqual({ 'mcp-proxmox': 67, 'ssh-mcp-1': 2, 'ssh-mcp-2': 14, 'phone-home': 29, 'ubuntu-shell': 9 });
});

describe.each(peers)('every function of $name has its counterpart', ({ rows }) => {
  it.each(rows)('$name: $tool', ({ tool, proof, holds }) => {
    expect(tools.map(({ name }) => name)).toContain(tool);
    expect(existsSync(join(root, proof)), proof).toBe(true);
    expect(readFileSync(join(root, proof), 'utf8')).toContain(holds);
  });
});
