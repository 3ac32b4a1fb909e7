import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aboutOf, commandOf, noted, notedMessage, outputsOf, questionOf } from '../../src/gate/noted.ts';
import { RemoteText, remote } from '../../src/present/answer.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const redact = (text: string) => text.replaceAll('s3cret', '[gone]');

describe('what the audit notes of arguments', () => {
  it('is every value as it is, but for secrets and hidden characters', () => {
    const input = { text: 'a s3cret\x1b', list: ['s3cret', 1], deep: { 's3cret name': true, none: null }, n: 7 };
    expect(noted(input, redact)).toEqual({
      text: 'a [gone]\\x1b',
      list: ['[gone]', 1],
      deep: { '[gone] name': true, none: null },
      n: 7,
    });
  });

  it('is nothing of what stands under the name of a secret, in a list neither', () => {
    const input = { password: 'x', nested: [{ token: ['y', { deep: 'z' }] }], Password: 7, passwords: 'shown' };
    expect(noted(input, redact)).toEqual({
      password: '[hidden]',
      nested: [{ token: ['[hidden]', { deep: 'z' }] }],
      Password: 7,
      passwords: 'shown',
    });
  });

  it('is the start of a text of 501 characters, with the hash of all of it without secrets', () => {
    expect(noted('y'.repeat(500), redact)).toBe('y'.repeat(500));
    const long = `${'y'.repeat(495)}s3cret`;
    const [start, told] = [`${'y'.repeat(495)}[gone`, `${'y'.repeat(495)}[gone]`];
    expect(noted(long, redact)).toEqual({ start, characters: 501, sha256: sha256(told) });
    expect(notedMessage(`s3cret\x1b${'m'.repeat(1_990)}`, redact)).toBe(`[gone]\\x1b${'m'.repeat(1_990)}`);
    expect(notedMessage('m'.repeat(2_001), redact)).toBe(
      `${'m'.repeat(1_200)}\n[… 1 characters not shown …]\n${'m'.repeat(800)}`,
    );
  });
});

describe('what the audit says that a call is about', () => {
  it.each([
    [{ node: 'pve1', host: 'h', vmid: 1, guest: 'g', target: 'ct/400' }, 'ct/400'],
    [{ node: 'pve1', hosts: ['a', 'b'], host: 'h' }, 'h'],
    [{ node: 'pve1', hosts: ['a', 'b'] }, 'a,b'],
    [{ node: 'pve1', vmid: 100 }, '100'],
    [{ guests: [100, 'web', {}], node: 'pve1' }, '100,web'],
    [{ targets: ['pve1', 'ct/1'], guest: 1 }, 'pve1,ct/1'],
    [{ guest: 1, guests: [2] }, '1'],
    [{ node: 's3cret\n' }, '[gone]\n'],
    [{ node: 'pve1' }, 'pve1'],
    [{ path: '/etc', session: 's1' }, 's1'],
    [{ volume: 'v', path: '/etc' }, '/etc'],
    [{ upid: 'u', backup: 'b', volume: 'v' }, 'v'],
    [{ upid: 'u', backup: 'b' }, 'b'],
    [{ upid: 'u' }, 'u'],
    [{ target: {}, node: 'pve1' }, undefined],
    [{ target: [] }, undefined],
    [{ colour: 'red' }, undefined],
  ])('%j is %j', (input, about) => expect(aboutOf(input, redact)).toBe(about));

  it('is the hash of each whole command, without secrets', () => {
    expect(commandOf({ script: 'echo s3cret', stdin: '', text: 7 }, redact)).toEqual({
      script: sha256('echo [gone]'),
      stdin: sha256(''),
    });
    expect(commandOf({ text: 't' }, redact)).toEqual({ text: sha256('t') });
    expect(commandOf({ command: 'ls' }, redact)).toBeUndefined();
  });

  it('is a question by twelve digits that give no answer away', () => {
    expect(questionOf('nonce')).toBe(sha256('nonce').slice(0, 12));
  });
});

describe('what the audit notes of outputs', () => {
  it('is length and hash of each, by its name, whole or as it is kept', () => {
    const cut = { bytes: 9_000, omitted: 8_000 };
    const facts = {
      stdout: remote('s3cret ä'),
      results: [{ stderr: remote('e'), exit_code: 1 }, 'word'],
      's3cret name': { cut: new RemoteText('c', cut), kept: new RemoteText('k', cut, { file: '/f', sha256: 'abc' }) },
      none: undefined,
    };
    expect(outputsOf(facts, redact)).toEqual({
      stdout: { bytes: 9, sha256: sha256('[gone] ä') },
      'results.0.stderr': { bytes: 1, sha256: sha256('e') },
      '[gone] name.cut': { bytes: 9_000, sha256: undefined },
      '[gone] name.kept': { bytes: 9_000, sha256: 'abc' },
    });
    expect(outputsOf({ n: 1, list: ['a'] }, redact)).toBeUndefined();
  });

  it('is no more than 200 of them', () => {
    const list = (count: number) => ({ all: Array.from({ length: count }, (_, i) => remote(`${i}`)) });
    expect(Object.keys(outputsOf(list(200), redact) ?? {})).toHaveLength(200);
    const names = Object.keys(outputsOf(list(300), redact) ?? {});
    expect([names.length, names[0], names.at(-1)]).toEqual([200, 'all.0', 'all.199']);
  });
});
