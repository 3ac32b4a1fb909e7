import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPresent } from '../../src/present/present.ts';
import { createRedact } from '../../src/present/redact.ts';
import { Secret } from '../../src/secret.ts';
import { wholeLines } from '../../src/ssh/lines.ts';

const SECRET = 'correct-horse';
const { line } = createPresent({
  redact: createRedact([new Secret(SECRET)]),
  budget: 4000,
  save: async () => undefined,
});

/** What a client is told of output that comes in these pieces. */
function told(pieces: readonly string[]): string[] {
  const lines: string[] = [];
  const take = wholeLines((text) => lines.push(line(text)));
  for (const piece of pieces) take(piece);
  return lines;
}

describe('guarantee 21: progress tells whole lines', () => {
  it('the newest of each piece, a bar that is drawn over itself too', () => {
    expect(told(['one\ntwo\nthr', 'ee\n', '\n', '\r10 %', '\r20 %', '\r'])).toEqual(['two', 'three', '10 %', '20 %']);
  });

  it('a secret that is cut anywhere is in no piece', () => {
    const text = `one\npassword ${SECRET}\nthree\n`;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        for (const message of told(pieces)) expect(['one', 'password [secret removed]', 'three']).toContain(message);
      }),
    );
  });
});

describe('guarantee 23: a line of progress', () => {
  it('is short, and shows what a terminal would act on', () => {
    const [message = ''] = told([`\u001b]52;c;ZXZpbA==\u0007\u202e\t${'x'.repeat(9000)}\n`]);
    expect(message).toMatch(/^\\x1b\]52;c;ZXZpbA==\\x07\\u\{202e\}\\tx+ \[… \d+ characters not shown …\] x+$/);
    expect(message.length).toBeLessThan(400);
  });

  it('of a line that never ends nothing is told, and little is kept', () => {
    expect(told(Array.from({ length: 1000 }, () => 'x'.repeat(16_384)))).toEqual([]);
  });
});
