import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRig, TOKEN } from '../mcp/http-rig.ts';
import { fixtureServer } from './fixtures.ts';

/** The suites by the era that they know, each with its baseline, and what tells them to run everything. */
const suites = {
  'conformance-2025': { version: '0.1.16', args: ['--suite', 'all'] },
  'conformance-2026': { version: '0.2.0-alpha.12', args: ['--requirements', '2026-07-28'] },
};

/** Those, and the Node.js that they need: ours may be older. */
const packages = [
  'node@24',
  ...Object.entries(suites).map(([name, { version }]) => `${name}@npm:@modelcontextprotocol/conformance@${version}`),
];

/** Passes everything on as it is, with the token, which the suite cannot send. */
async function withToken(port: number) {
  const proxy = createServer((req, res) => {
    const headers = { ...req.headers, authorization: `Bearer ${TOKEN}` };
    const { method, url: path } = req;
    const onward = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const address = proxy.address();
  return { proxy, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/mcp` };
}

/** Runs one suite against `url`, and says whether it ended as its baseline has it. */
async function passes(name: string, args: readonly string[], folder: string, url: string): Promise<boolean> {
  const baseline = join(import.meta.dirname, `${name}.yml`);
  const program = join(folder, 'node_modules', name, 'dist/index.js');
  const all = [program, 'server', '--url', url, '--expected-failures', baseline, ...args];
  const child = spawn(join(folder, 'node_modules/.bin/node'), all, { cwd: folder, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

const folder = await mkdtemp(join(tmpdir(), 'psm-conformance-'));
const rig = await openRig({ build: fixtureServer });
const { proxy, url } = await withToken(rig.port);
try {
  const install = ['install', '--prefix', folder, '--no-save', '--loglevel=error', '--ignore-scripts=false'];
  const { status } = spawnSync('npm', [...install, ...packages], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The suites could not be fetched.');
  for (const [name, { args }] of Object.entries(suites)) {
    if (!(await passes(name, args, folder, url))) process.exitCode = 1;
  }
} finally {
  proxy.close();
  proxy.closeAllConnections();
  await rig.stop();
  await rm(folder, { recursive: true, force: true });
}
