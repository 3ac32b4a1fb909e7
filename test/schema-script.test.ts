import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../src/demo/api/index.ts';
import { createWorld } from '../src/demo/world.ts';
import { methodsOf } from '../src/pve/apidoc.ts';
import { findSchema } from './reference.ts';

const root = resolve(import.meta.dirname, '..');
const world = createWorld();
let api: Api;
let folder: string;
beforeAll(async () => {
  api = await startApi(world);
  folder = await mkdtemp(join(tmpdir(), 'psm-script-'));
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The script as `npm run schema` runs it, in a folder of its own. */
const schema = (...args: string[]): Promise<{ code: number; out: string }> =>
  new Promise((done) => {
    const script = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'scripts/schema.ts'), ...args];
    execFile(process.execPath, script, { cwd: folder }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, out: `${stdout}${stderr}` }),
    );
  });

describe('npm run schema', () => {
  const at = (): string => `https://127.0.0.1:${api.port}`;

  it('shows the certificate first, and fetches nothing', async () => {
    const { code, out } = await schema(at());
    expect(code).toBe(1);
    expect(out).toContain(api.fingerprint);
    expect(out).toContain(`call again with --fingerprint ${api.fingerprint}`);
  });

  it('refuses a certificate with another fingerprint', async () => {
    const { code, out } = await schema(at(), '--fingerprint', 'AA'.repeat(32));
    expect(code).toBe(1);
    expect(out).toContain('another certificate than the one that is pinned');
  });

  it('writes a file that can be used as PVE_API_SCHEMA', async () => {
    const { code, out } = await schema(at(), '--fingerprint', api.fingerprint);
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('PVE_API_SCHEMA=pve-api-schema.json'),
    });
    const file = findSchema({ PVE_API_SCHEMA: join(folder, 'pve-api-schema.json') });
    const raw = JSON.parse(await readFile(file, 'utf8'));
    expect(raw).toContainEqual(
      expect.objectContaining({ path: '/version', method: 'GET', protected: false, allowtoken: true }),
    );
    expect(methodsOf(raw).length).toBe(raw.length);
    expect(world.requests).toEqual([]);
  });

  it('says how it is used', async () => {
    expect((await schema('pve1:8006')).out).toContain('Usage: npm run schema -- https://HOST:8006');
  });

  it('is named by a test that lacks the schema', () => {
    expect(() => findSchema({ PVE_API_SCHEMA: '/nonexistent.json' })).toThrow('npm run schema -- https://HOST:8006');
  });
});
