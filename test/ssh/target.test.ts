import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/ssh/target.ts';

describe('a target', () => {
  it('is a container, a VM or a host by name', () => {
    expect(parseTarget('ct/400')).toEqual({ kind: 'ct', vmid: 400 });
    expect(parseTarget('lxc/400')).toEqual({ kind: 'ct', vmid: 400 });
    expect(parseTarget('vm/101')).toEqual({ kind: 'vm', vmid: 101 });
    expect(parseTarget('qemu/999999999')).toEqual({ kind: 'vm', vmid: 999_999_999 });
    expect(parseTarget('pve1')).toEqual({ kind: 'host', name: 'pve1' });
    expect(parseTarget('web_1.example.org')).toEqual({ kind: 'host', name: 'web_1.example.org' });
  });

  it.each([
    '',
    'ct/',
    'ct/99',
    'ct/0400',
    'ct/ 400',
    'CT/400',
    'ct/400/',
    'ct/1000000000',
    'vm/-1',
    'host/pve1',
    '-x',
    'a b',
    'a;b',
    'a\n',
  ])('is not %j', (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ kind: 'invalid-input' }));
  });
});
