import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/ssh/files/reply.ts';

const answer = Buffer.from('\0psm\0stat=a b\0real=/x\ny\0empty=\0\0body\0\0psm\0');

describe('the answer of a script of files', () => {
  it.each([1, 2, 3, 7, 1000])('is read in pieces of %i bytes', (length) => {
    const reply = new Reply();
    for (let at = 0; at < answer.length; at += length) reply.take(answer.subarray(at, at + length));
    expect(reply.complete).toBe(true);
    expect([reply.field('stat'), reply.field('real'), reply.field('empty'), reply.field('no')]).toEqual([
      'a b',
      '/x\ny',
      '',
      undefined,
    ]);
    expect(reply.body.toString()).toBe('body\0\0psm\0');
  });

  it('begins after what the start-up files of a login say', () => {
    const reply = new Reply();
    reply.take(Buffer.from('Welcome to host=1\n'));
    reply.take(answer);
    expect(reply.field('stat')).toBe('a b');
  });

  it('may have no fields', () => {
    const reply = new Reply();
    reply.take(Buffer.from('\0psm\0\0body'));
    expect([reply.complete, reply.body.toString()]).toEqual([true, 'body']);
  });

  it('hands the body to its sink, and what the sink wants to be waited for', async () => {
    const pieces: string[] = [];
    const reply = new Reply((piece) => {
      pieces.push(piece.toString());
      return pieces.length === 2 ? Promise.resolve() : undefined;
    });
    expect(reply.take(Buffer.from('\0psm\0a=b\0\0one'))).toBeUndefined();
    expect(reply.take(Buffer.from('two'))).toBeInstanceOf(Promise);
    expect(pieces).toEqual(['one', 'two']);
  });

  it('is not complete, takes no memory and reaches no sink when it is none', () => {
    const pieces: Buffer[] = [];
    const reply = new Reply((piece) => void pieces.push(piece));
    for (let i = 0; i < 1_000; i++) reply.take(Buffer.alloc(64 * 1024));
    expect([reply.complete, pieces.length]).toEqual([false, 0]);
  });
});
