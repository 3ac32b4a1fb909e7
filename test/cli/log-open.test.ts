import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../e2e/clients.ts';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { cli } from './cli.ts';

let dc: Datacentre;
beforeAll(async () => {
  dc = await startDatacentre();
});
afterAll(() => dc.stop());

it('writes the calls that are wanted into a page that stands alone, for its owner only, and says where', async () => {
  const launch = await dc.launch();
  const client = await connect('v2-2026', launch);
  await client.call('pve_guest_get', { guest: 400 });
  await client.call('ssh_exec', { target: 'pve1', script: "echo '</script><b>'" });
  await client.close();
  const args = ['log', '--open', '--effect', 'execute', '--settings-file', launch.args[3] ?? ''];
  const { code, stdout } = await cli(args, { home: dc.dir });
  expect(code).toBe(0);
  const file = stdout.trim();
  expect(file).toMatch(/exports\/.*log.*\.html$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const page = await readFile(file, 'utf8');
  const [, data = ''] = /id="data">(.*?)<\/script>/s.exec(page) ?? [];
  expect(JSON.parse(data).calls).toMatchObject([{ tool: 'ssh_exec', input: { script: "echo '</script><b>'" } }]);
});

it('says what is wrong where there is no log', async () => {
  const settings = { MCP_AUDIT_FILE: `${dc.dir}/none.jsonl` };
  const ran = await cli(['log', '--open', '--settings-file', (await dc.launch(settings)).args[3] ?? ''], {
    home: dc.dir,
  });
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toContain('There is no audit file');
});
