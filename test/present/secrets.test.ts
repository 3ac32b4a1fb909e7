import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedaction } from '../../src/present/redact.ts';
import { keepSecretsIn } from '../../src/present/secrets.ts';
import { Secret } from '../../src/secret.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'psm-secrets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('guarantee 21: a password that was made here', () => {
  it('is in a file that only its owner may read, and in nothing that is told from then on', async () => {
    const { redact, hold } = createRedaction([new Secret('the token')]);
    const { value, file } = await keepSecretsIn(join(folder, 'a', 'secrets'), hold)('CT 103 (../web server)');
    expect(await readFile(file, 'utf8')).toBe(`${value.reveal()}\n`);
    expect(file).toMatch(/\/a\/secrets\/CT-103-\.\.-web-server-\d{14}-[0-9a-f]{8}\.txt$/);
    expect([await modeOf(file), await modeOf(join(folder, 'a', 'secrets'))]).toEqual(['600', '700']);
    const spelled = [value.reveal(), Buffer.from(value.reveal()).toString('base64'), 'the token'];
    expect(spelled.map(redact)).toEqual(Array(3).fill('[secret removed]'));
    expect(`${value} ${JSON.stringify({ value })}`).not.toContain(value.reveal());
  });

  it('is long, never the same, and has no letters that look alike', async () => {
    const keep = keepSecretsIn(join(folder, 'b'), () => undefined);
    const made = await Promise.all(Array.from({ length: 200 }, async () => (await keep('x')).value.reveal()));
    expect(new Set(made).size).toBe(200);
    expect(made.filter((one) => !/^[A-HJ-NP-Za-km-z2-9]{24}$/.test(one) || /[0O1lI]/.test(one))).toEqual([]);
    expect(new Set(made.join('')).size).toBe(57);
  });

  it('is not made where it cannot be kept', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(keepSecretsIn(join(folder, 'file'), () => undefined)('x')).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/^A password was to be made, but it cannot be kept in .*file: E(EXIST|NOTDIR):/),
      hint: 'The operator can set MCP_OUTPUT_DIR to a folder that can be written to; or give an SSH key instead.',
      cause: { code: expect.stringMatching(/^E/) },
    });
  });
});
