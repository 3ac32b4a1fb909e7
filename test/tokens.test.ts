import { describe, expect, it } from 'vitest';
import { tools } from '../src/toolsets/index.ts';
import { mostTokens, weigh } from './tokens.ts';

describe('what a model is shown of the tools', () => {
  it.each(['core', 'full'] as const)('%s keeps within its tokens', (choice) => {
    const { tokens, each } = weigh(choice);
    const heaviest = each.slice(0, 5).map((one) => `${one.name} ${one.tokens}`);
    expect(tokens, `heaviest: ${heaviest.join(', ')}`).toBeLessThanOrEqual(mostTokens[choice]);
  });

  it('is every tool in full, and fewer in core', () => {
    expect(weigh('full').tools).toBe(tools.length);
    expect(weigh('core').each.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'server_status',
        'pve_overview',
        'pve_api_search',
        'pve_api_get',
        'pve_api_call',
        'ssh_exec',
      ]),
    );
  });
});
