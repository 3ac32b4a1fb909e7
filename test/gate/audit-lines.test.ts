import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Audit, type AuditEntry, createAudit, unaudited } from '../../src/gate/audit.ts';
import { headPlace, readHead, readKey } from '../../src/log/head.ts';
import { remote } from '../../src/present/answer.ts';
import { bench, lampTools } from './harness.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'psm-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, 'state', 'audit.jsonl');
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const redact = (text: string) => text.replaceAll('s3cret', '[gone]');
const heads = () => join(folder, 'heads');
const audited = (more: { maxBytes?: number; keepDays?: number } = {}): Audit =>
  createAudit({ file, headFolder: heads(), redact, ...more });
const line = { call: 'c', tool: 'ssh_exec', effect: 'execute', client: 'x 1' } as const;
const rows = (): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row));

/** What is noted of the one chain of the file. */
function chainInHead(): unknown {
  const place = headPlace(heads(), file);
  const key = readKey(place);
  return key && Object.values(readHead(place, key)?.chains ?? {})[0];
}

describe('a line of the audit', () => {
  /** The members of a line beside its time, place and seal. */
  async function written(entry: Partial<AuditEntry>): Promise<Record<string, unknown>> {
    const audit = audited();
    await audit.write({ kind: 'outcome', ...line, ...entry });
    await audit.close();
    const { time, chain, seq, at, prev, hash, mac, ...rest } = rows().at(-1) ?? {};
    expect([typeof time, typeof chain, seq, typeof at, typeof prev, typeof hash, typeof mac]).toEqual([
      'string',
      'string',
      1,
      'number',
      'string',
      'string',
      'string',
    ]);
    return rest;
  }
  const bare = { kind: 'outcome', ...line };

  it('says no more than there is', async () => {
    expect(await written({ mode: 'guarded', protocol: '2025-11-25' })).toEqual(bare);
    expect(await written({ facts: { exit_code: '3' }, message: '' })).toEqual(bare);
  });

  it('says of the first of a call what it is about, runs and was given', async () => {
    const input = { target: 'ct/400', script: 'echo s3cret' };
    expect(await written({ kind: 'intent', input, approved: 'mode', mode: 'guarded', protocol: 'p' })).toEqual({
      ...bare,
      kind: 'intent',
      approved: 'mode',
      mode: 'guarded',
      protocol: 'p',
      about: 'ct/400',
      command: { script: sha256('echo [gone]') },
      input: { target: 'ct/400', script: 'echo [gone]' },
    });
  });

  it('says what came of it, and which question it was', async () => {
    const facts = { exit_code: 3, stdout: remote('s3cret') };
    expect(await written({ facts, message: 'a s3cret', verdict: 'ok', durationMs: 7, nonce: 'n' })).toEqual({
      ...bare,
      verdict: 'ok',
      durationMs: 7,
      question: sha256('n').slice(0, 12),
      exitCode: 3,
      output: { stdout: { bytes: 6, sha256: sha256('[gone]') } },
      message: 'a [gone]',
    });
  });
});

describe('the lines of a call that a human is asked about', () => {
  it('name the question, the call that its answer came with, and how long that took', async () => {
    const audit = audited();
    const { call } = bench({ audit });
    const asked = await call('pve_lamp_destroy');
    if (asked.kind !== 'question') throw new Error('not asked');
    const { ticket } = asked.question;
    await call('pve_lamp_destroy', {}, { reply: { action: 'accept', confirmed: true, ticket } });
    await call('pve_lamp_read');
    await audit.close();
    const told = rows().map(({ kind, approved, question, tool }) => [kind, tool, approved, question]);
    const question = sha256(ticket.nonce).slice(0, 12);
    expect(told).toEqual([
      ['asked', 'pve_lamp_destroy', undefined, question],
      ['intent', 'pve_lamp_destroy', 'confirmed', question],
      ['outcome', 'pve_lamp_destroy', undefined, undefined],
      ['outcome', 'pve_lamp_read', undefined, undefined],
    ]);
    const [first, second, third, fourth] = rows();
    expect([second?.call === third?.call, first?.call === second?.call, third?.call === fourth?.call]).toEqual([
      true,
      false,
      false,
    ]);
    expect(third?.durationMs).toBeGreaterThanOrEqual(0);
    expect(third?.durationMs).toBeLessThan(1_000);
    expect(fourth?.input).toEqual({});
    expect(third?.input).toBeUndefined();
  });
});

describe('the head of the audit', () => {
  it('follows within a second, without a call that waits for it, and once more at the end', async () => {
    const audit = audited();
    onTestFinished(() => audit.close());
    for (let i = 0; i < 3; i += 1) await audit.write({ kind: 'intent', ...line });
    expect(chainInHead()).toBeUndefined();
    await vi.waitFor(() => expect(chainInHead()).toEqual({ seq: 3, hash: rows()[2]?.hash }), { timeout: 2_000 });
    await audit.write({ kind: 'outcome', ...line });
    expect(chainInHead()).toMatchObject({ seq: 3 });
    await vi.waitFor(() => expect(chainInHead()).toEqual({ seq: 4, hash: rows()[3]?.hash }), { timeout: 2_000 });
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect(chainInHead()).toEqual({ seq: 5, hash: rows()[4]?.hash });
  });

  it('is written when there is something new, and not else', async () => {
    const unused = audited();
    await unused.close();
    expect(existsSync(heads())).toBe(false);
    const audit = audited();
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    const place = headPlace(heads(), file);
    const before = statSync(place.file);
    await audit.close();
    expect([statSync(place.file).ino, statSync(place.file).mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it('does not name a line that the disk does not have, in a file that was moved neither', async () => {
    mkdirSync(dirname(file));
    symlinkSync('/dev/null', file);
    const audit = audited();
    await audit.write({ kind: 'outcome', ...line });
    await expect(audit.write({ kind: 'intent', ...line })).rejects.toThrow('EINVAL');
    renameSync(file, `${file}.1`);
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect([rows().length, chainInHead()]).toEqual([1, undefined]);
  });

  it('is tried again after it could not be written', async () => {
    const audit = audited();
    await audit.write({ kind: 'outcome', ...line });
    const place = headPlace(heads(), file);
    rmSync(place.file);
    mkdirSync(place.file);
    await audit.close();
    rmSync(place.file, { recursive: true });
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect(rows()).toHaveLength(2);
  });
});

describe('rotated files that are too old', () => {
  const DAY = 24 * 3600_000;
  const rotated = (days: number): string => {
    const stamp = new Date(Date.now() - days * DAY).toISOString().replace(/[-:.Z]/g, '');
    const name = join(dirname(file), `audit-${stamp}.jsonl`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(name, '');
    return name;
  };

  it('are removed when the head is written, an hour between two looks; all are kept where nothing is said', async () => {
    const [old, young] = [rotated(3), rotated(1)];
    const keeping = audited();
    await keeping.write({ kind: 'outcome', ...line });
    await keeping.close();
    expect([old, young].map((name) => existsSync(name))).toEqual([true, true]);
    const audit = audited({ keepDays: 2 });
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect([old, young].map((name) => existsSync(name))).toEqual([false, true]);
    const other = rotated(4);
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect(existsSync(other)).toBe(true);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3600_001 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    await audit.write({ kind: 'outcome', ...line });
    await audit.close();
    expect(existsSync(other)).toBe(false);
  });
});

it('a call whose intent could not be noted is refused with the cause', () => {
  const [tool] = lampTools().tools;
  if (!tool) throw new Error('no tool');
  const cause = new Error('ENOSPC');
  expect(unaudited(tool, '/a.jsonl', cause)).toMatchObject({
    kind: 'refused',
    message: 'The audit file /a.jsonl cannot be written (ENOSPC), so pve_lamp_read was not run.',
    hint: 'Make room on the disk or set MCP_AUDIT_FILE to a place that can be written.',
    cause,
  });
  expect(unaudited(tool, '/a.jsonl', 'full').message).toContain('(full)');
});
