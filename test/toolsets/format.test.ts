import { describe, expect, it } from 'vitest';
import { bytes, count, countBy, duration, elapsed, iso, percent, tally, usage } from '../../src/toolsets/format.ts';

const GiB = 1024 ** 3;

describe('how quantities are written', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1024 ** 2 - 1, '1 MiB'],
    [512 * 1024 ** 2, '512 MiB'],
    [3.2 * GiB, '3.2 GiB'],
    [99.96 * GiB, '100 GiB'],
    [931.4 * GiB, '931 GiB'],
    [1.5 * 1024 ** 4, '1.5 TiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
  ])('%d bytes', (n, text) => {
    expect(bytes(n)).toBe(text);
  });

  it.each([
    [0, '0 %'],
    [0.004, '0.4 %'],
    [0.0995, '10 %'],
    [0.4, '40 %'],
    [1, '100 %'],
  ])('%d as a share', (n, text) => {
    expect(percent(n)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [250, '4 min 10 s'],
    [7200, '2 h'],
    [7500, '2 h 5 min'],
    [86_400 * 12 + 4 * 3600, '12 d 4 h'],
  ])('%d seconds', (n, text) => {
    expect(duration(n)).toBe(text);
  });

  it('use of a whole, a stopwatch, a time, a number of things', () => {
    expect(usage(3.2 * GiB, 8 * GiB)).toBe('3.2 GiB of 8 GiB (40 %)');
    expect(usage(undefined, 8 * GiB)).toBe('8 GiB');
    expect(usage(1, undefined)).toBeUndefined();
    expect([elapsed(312), elapsed(61_000)]).toEqual(['0.3 s', '1 min 1 s']);
    expect(iso(1_795_144_742)).toBe('2026-11-20T03:19:02Z');
    expect([count(1, 'guest'), count(0, 'guest')]).toEqual(['1 guest', '0 guests']);
    expect(tally(countBy(['a', 'b', 'b'], (one) => one))).toBe('2 b, 1 a');
  });
});
