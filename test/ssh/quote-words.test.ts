import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote, refuseUncarriable, refuseUserName } from '../../src/ssh/quote.ts';

const refused = (message: string, hint: string) => expect.objectContaining({ kind: 'invalid-input', message, hint });

describe('a quoted word', () => {
  it('is the same word again in the shell of this machine', () => {
    const words = fc.sample(fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}() \n\tab€😀') }), 300);
    const script = `printf '%s\\0' ${words.map(quote).join(' ')}`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(words);
  });

  it('carries no NUL and no half of a character, and says what is wrong', () => {
    expect(() => quote('a\0b')).toThrow(
      refused(
        'A word of the command holds a NUL character, which no shell can carry.',
        'Take it out, or send binary data on stdin.',
      ),
    );
    for (const text of ['\ud83d', 'a\ude00b', '\ude00\ud83d']) {
      expect(() => refuseUncarriable(text, 'The script')).toThrow(
        refused('The script holds half of a surrogate pair, which has no UTF-8 form.', 'Send well-formed text.'),
      );
    }
    expect(() => refuseUncarriable('\u{1f600} \ufffd', 'The script')).not.toThrow();
  });
});

describe('the name of a user', () => {
  it.each([undefined, 'root', '_apt', 'psm-user', 'a.b_c', 'WORKGROUP9', 'machine$', `a${'b'.repeat(63)}`])(
    'may be %j',
    (name) => expect(() => refuseUserName(name)).not.toThrow(),
  );

  it.each(['', '-u', '-', 'a b', 'a;b', '$HOME', 'a$b', '9a', '.a', 'a\n', '\na', 'ä', `a${'b'.repeat(64)}`])(
    'is not %j',
    (name) =>
      expect(() => refuseUserName(name)).toThrow(
        refused(`"${name}" is no user name.`, 'Give the name of a user there.'),
      ),
  );

  it('is told no further than 100 characters', () => {
    expect(() => refuseUserName(`-${'x'.repeat(200)}`)).toThrow(`"-${'x'.repeat(99)}" is no user name.`);
  });
});
