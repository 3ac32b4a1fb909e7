import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { counterparts, proofOf } from '../scripts/peer-functions.ts';
import { tools } from '../src/toolsets/index.ts';

const root = join(import.meta.dirname, '..');

describe('every function of gilby125/mcp-proxmox has its counterpart', () => {
  it('counts all of them', () => expect(counterparts.size).toBe(67));

  it.each([...counterparts])('%s', (_, counterpart) => {
    expect(tools.map(({ name }) => name)).toContain(counterpart.tool);
    const file = join(root, proofOf(counterpart));
    expect(existsSync(file), file).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(counterpart.tool);
  });
});
