import { describe, expect, it } from 'vitest';
import { bench } from './harness.ts';

const question = async (colour: string): Promise<string> => {
  const asked = await bench({ setup: { mode: 'ask' } }).call('pve_lamp_execute', { colour });
  if (asked.kind !== 'question') throw new Error('not asked');
  return asked.question.message;
};

describe('guarantee 20: a question that is too long to be read', () => {
  it('shows its end too, and says how much of it is not shown', async () => {
    const message = await question(`: ${'harmless '.repeat(1000)}; rm -rf /srv`);
    expect(message).toMatch(/^Lamp: execute\ncolour: : harmless/);
    expect(message).toMatch(/\n\[… 70\d\d characters not shown …\]\n/);
    expect(message.endsWith('; rm -rf /srv')).toBe(true);
    expect(message.length).toBeLessThan(2100);
  });

  it('is never cut inside a character', async () => {
    for (let pad = 0; pad < 2; pad++)
      expect(await question('x'.repeat(pad) + '👩'.repeat(2000))).not.toMatch(/\p{Cs}/u);
  });
});
