import { expect, it } from 'vitest';
import type { Call, Outcome } from '../../src/gate/dispatch.ts';
import { happeningOf } from '../../src/hooks/outcome.ts';
import { answer } from '../../src/present/answer.ts';
import { toolNamed } from '../toolsets/harness.ts';

it('tells of a change on a node of a further cluster to the webhook of that node, and to no other of its name', () => {
  const tool = toolNamed('pve_guest_power');
  const call = { tool: tool.name, args: { guest: 400 } } as unknown as Call;
  const told = (cluster: string | undefined, main: string | undefined) => {
    const outcome: Outcome = { kind: 'answer', answer: answer('Started', { node: 'pve1', vmid: 400 }), cluster };
    const happening = happeningOf(call, tool, outcome, main);
    return [happening?.data.node, happening?.data.cluster, happening?.hosts];
  };
  expect(told(undefined, undefined)).toEqual(['pve1', undefined, ['pve1']]);
  expect(told('home', 'home')).toEqual(['pve1', 'home', ['pve1']]);
  expect(told('attic', 'home')).toEqual(['pve1', 'attic', ['pve1.attic']]);
});
