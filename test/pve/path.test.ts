import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { path, pathOf } from '../../src/pve/path.ts';

/** What no segment may be: it would address another resource, or has no UTF-8 form. */
const REFUSED = ['', '.', '..', '\ud83d', 'a\ude00b'];

describe('a path of the API', () => {
  it('holds each value as one segment, and gives it back to the server', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !REFUSED.includes(text));
    fc.assert(
      fc.property(value, value, (node, volume) => {
        const made = path`/nodes/${node}/storage/${volume}/content`;
        const [, nodes, first, storage, second, content, ...more] = made.split('/').map(decodeURIComponent);
        expect([nodes, first, storage, second, content, more]).toEqual([
          'nodes',
          node,
          'storage',
          volume,
          'content',
          [],
        ]);
        expect(made).not.toMatch(/[?#\s]/);
        expect(pathOf(['nodes', node, 'storage', volume, 'content'])).toBe(made);
      }),
    );
  });

  it('begins and ends with what was written', () => {
    expect(path`/version`).toBe('/version');
    expect(path`/nodes/${'pve1'}/lxc/${100}`).toBe('/nodes/pve1/lxc/100');
    expect(path`/a/${'x/../y'}/b`).toBe('/a/x%2F..%2Fy/b');
    expect(path`/${'...'}/${'.a'}`).toBe('/.../.a');
    expect(pathOf([])).toBe('');
  });

  it.each(REFUSED)('has no segment %j', (value) => {
    const refusal = expect.objectContaining({
      kind: 'invalid-input',
      message: `${JSON.stringify(value)} cannot be part of an API path.`,
      hint: 'Give a node, guest, storage or task id.',
    });
    expect(() => path`/nodes/${value}`).toThrow(refusal);
    expect(() => pathOf(['nodes', value])).toThrow(refusal);
  });
});
