import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRegistry } from '../src/gate/registry.ts';
import { tools } from '../src/toolsets/index.ts';
import type { Setup } from '../src/toolsets/tool.ts';

/** What a client's model may be shown of the tools in this mode. */
function surface(mode: Setup['mode']): string {
  const { listed } = createRegistry(tools, { mode, toolsets: ['full'] });
  const rows = listed.map(({ name, title, effect, summary, schema }) => ({
    name,
    title,
    effect,
    description: summary,
    input: z.toJSONSchema(schema, { io: 'input' }),
  }));
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

const size = (mode: Setup['mode']): number => JSON.stringify(JSON.parse(surface(mode))).length;

describe('the surface of the tools', () => {
  it('in guarded mode is what it was', async () => {
    await expect(surface('guarded')).toMatchFileSnapshot('surface/guarded.json');
  });

  it('in read-only mode is what it was', async () => {
    await expect(surface('read-only')).toMatchFileSnapshot('surface/read-only.json');
  });

  it('is the same in every mode that may change something', () => {
    expect(surface('ask')).toBe(surface('guarded'));
    expect(surface('trusted')).toBe(surface('guarded'));
  });

  it('takes so many characters of a model that is shown all of it', () => {
    expect({ guarded: size('guarded'), 'read-only': size('read-only') }).toMatchInlineSnapshot(`
      {
        "guarded": 69388,
        "read-only": 23226,
      }
    `);
  });
});
