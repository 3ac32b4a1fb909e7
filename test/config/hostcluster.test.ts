import { describe, expect, it } from 'vitest';
import type { ClusterNode } from '../../src/config/hostbook.ts';
import { clusterOfHost, refuseOthers } from '../../src/config/hostcluster.ts';
import { oneSpelling } from '../../src/config/sameaddress.ts';
import { Failure } from '../../src/failure.ts';

const nodes: readonly ClusterNode[] = [
  { name: 'unknown', cluster: 'cellar' },
  { name: 'pve1', address: '192.0.2.1' },
  { name: 'pve9.attic', address: '192.0.2.9', cluster: 'attic' },
  { name: 'a.attic', address: '192.0.2.7', cluster: 'attic' },
  { name: 'a.cellar', address: '192.0.2.7', cluster: 'cellar' },
];
const known = { nodes, mainCluster: 'home' };

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['10.5', '10.0.0.5'],
    ['0x0a000005', '10.0.0.5'],
    ['PVE.Example.com.', 'pve.example.com'],
    ['pve..', 'pve.'],
    ['No Host', 'no host'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::1', '[2001:db8::1]'],
    ['2001:db8::ffff:c000:201', '[2001:db8::ffff:c000:201]'],
    ['::1', '[::1]'],
  ])('of %s is written as %s', (address, spelling) => {
    expect(oneSpelling(address)).toBe(spelling);
  });
});

describe('the cluster of a host', () => {
  it.each([
    ['pve1', '192.0.2.9', 'home'],
    ['pve9.attic', '192.0.2.1', 'attic'],
    ['nas', '192.0.2.9', 'attic'],
    ['nas', '::ffff:192.0.2.9', 'attic'],
    ['nas', '192.0.2.1', 'home'],
    ['nas', '192.0.2.7', 'home'],
    ['nas', '192.0.2.5', 'home'],
  ])('%s at %s is %s: by its name, else by an address that one cluster alone has', (name, address, cluster) => {
    expect(clusterOfHost(name, address, known)).toBe(cluster);
  });
});

describe('a node of a further cluster', () => {
  const told = (address: string | undefined, settings: readonly (string | undefined)[] = []) => {
    try {
      return refuseOthers({ name: 'b.attic', address, cluster: 'attic' }, settings, known);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [error.kind, error.message, error.hint];
    }
  };

  it('is not reached where a node of another cluster is, or the host of the settings', () => {
    const refusal = (address: string, other: string) => [
      'misconfigured',
      `b.attic is said to be at ${address}, and so is ${other}.`,
      'Describe b.attic in the inventory file with the address, and "via" if need be, by which it is reached from here.',
    ];
    expect(told('192.0.2.1')).toEqual(refusal('192.0.2.1', 'pve1, of home'));
    expect(told('192.0.2.7')).toEqual(refusal('192.0.2.7', 'a.cellar, of cellar'));
    const settings = ['192.0.2.50', undefined, 'pve.example.com'];
    expect(told('PVE.example.com', settings)).toEqual(refusal('PVE.example.com', 'the host of the settings, of home'));
  });

  it('is reached at an address that no other has, and judged elsewhere where it has none', () => {
    expect(told('192.0.2.9', ['192.0.2.50', undefined])).toBeUndefined();
    expect(told(undefined, [undefined, '192.0.2.1'])).toBeUndefined();
  });
});
