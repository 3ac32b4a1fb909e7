import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { saveFilesIn } from '../../src/present/exports.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'psm-exports-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'exports');
}

describe('a file that is exported', () => {
  it('is new each time, and only its owner may read it', async () => {
    const dir = folder();
    const save = saveFilesIn(dir);
    const files = await Promise.all(['one', 'two', 'three'].map((text) => save('inventory.yml', text)));
    expect(new Set(files).size).toBe(3);
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(['one', 'two', 'three']);
    for (const file of files) {
      expect(basename(file)).toMatch(/^inventory-\d{14}-[0-9a-f]{8}\.yml$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it('stays in its folder whatever its name', async () => {
    const dir = folder();
    for (const name of ['../../etc/passwd', '/etc/x', '..', 'a/b.tf', '\0', '']) {
      expect(dirname(await saveFilesIn(dir)(name, ''))).toBe(dir);
    }
  });

  it('that cannot be written is a failure that says why', async () => {
    const failure = await saveFilesIn('/dev/null/exports')('x.tf', '').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/^The file cannot be written to \/dev\/null\/exports: E/),
      hint: 'The operator can set MCP_OUTPUT_DIR to a folder that can be written to.',
      cause: { code: expect.stringMatching(/^E/) },
    });
  });
});
