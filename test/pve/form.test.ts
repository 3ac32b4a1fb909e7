import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { encodeForm } from '../../src/pve/form.ts';
import { path } from '../../src/pve/path.ts';
import { parseUpid } from '../../src/pve/upid.ts';

const text = fc.string({ unit: 'grapheme' });

describe('form encoding', () => {
  /** As the server reads it (pve-http-server, AnyEvent.pm): pairs at & and ;, each split at every =, two parts kept. */
  const read = (form: string): [string, string][] =>
    form
      .split(/[&;]/)
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=').map((part) => decodeURIComponent(part.replaceAll('+', ' '))))
      .map(([name = '', value = '']) => [name, value]);

  it('comes back as it was', () => {
    const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text), fc.constant(undefined));
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((name) => name !== ''),
          value,
        ),
        (params) => {
          const expected = Object.entries(params).flatMap(([name, one]): [string, string][] => {
            if (one === undefined) return [];
            if (Array.isArray(one)) return one.map((each) => [name, each]);
            return [[name, one === true ? '1' : one === false ? '0' : String(one)]];
          });
          expect(read(encodeForm(params))).toEqual(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('writes what the server needs', () => {
    const form = encodeForm({
      net1: 'name=eth1,bridge=vmbr0',
      onboot: true,
      vms: [100, 101],
      gone: undefined,
      none: [],
    });
    expect(form).toBe('net1=name%3Deth1%2Cbridge%3Dvmbr0&onboot=1&vms=100&vms=101');
  });

  it('refuses half of a character', () => {
    expect(() => encodeForm({ a: '\ud83d' })).toThrow(Failure);
  });
});

describe('path', () => {
  it('keeps each value one segment, whatever is in it', () => {
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(value !== '' && value !== '.' && value !== '..');
        const made = path`/nodes/${value}/lxc/${100}`;
        const segments = made.split('/');
        expect(segments).toHaveLength(5);
        expect(decodeURIComponent(segments[2] ?? '')).toBe(value);
        expect(made).toMatch(/^[\x21-\x7e]+$/);
        expect(made).not.toMatch(/[?#]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['', '.', '..', '\udc00'])('refuses %j', (value) => {
    expect(() => path`/nodes/${value}`).toThrow(Failure);
  });
});

describe('parseUpid', () => {
  const hex = (length: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'), minLength: length, maxLength: length });
  const parts = fc.record({
    node: fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?$/),
    type: fc.stringMatching(/^[a-z]{2,12}$/),
    id: fc.oneof(fc.constant(''), fc.constantFrom('100', '100@local', 'dl.iso', 'pvescheduler')),
    user: fc.constantFrom('root@pam', 'root@pam!mcp', 'x.y@my-realm!t_1'),
    startTime: fc.nat(0x7fffffff),
  });

  it('reads what the server writes', () => {
    fc.assert(
      fc.property(parts, hex(8), fc.oneof(hex(8), hex(9)), ({ node, type, id, user, startTime }, pid, pstart) => {
        const start = startTime.toString(16).toUpperCase().padStart(8, '0');
        const upid = `UPID:${node}:${pid}:${pstart}:${start}:${type}:${id}:${user}:`;
        expect(parseUpid(upid)).toEqual({ node, type, id, user, startTime });
      }),
    );
  });

  it('fails on junk, and on nothing else than a Failure', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((tail) => `UPID:pve1:${tail}`),
        ),
        (junk) => {
          expect(() => parseUpid(junk)).toThrow(Failure);
        },
      ),
    );
  });

  it.each([
    'UPID:pve1:00000352:00001F5E:6AFFBBDD:vzstart:100:root@pam!mcp',
    'UPID:../x:00000352:00001F5E:6AFFBBDD:vzstart:100:root@pam!mcp:',
    'UPID:pve1:00000352:00001F5E:6AFFBBDD:vzstart:100:root@pam!mcp:\n',
    'UPID:pve1:00000352:00001F5E:6AFFBBDD:vz start:100:root@pam!mcp:',
    ' UPID:pve1:00000352:00001F5E:6AFFBBDD:vzstart:100:root@pam!mcp:',
  ])('refuses %j', (junk) => {
    expect(() => parseUpid(junk)).toThrow(Failure);
  });
});
