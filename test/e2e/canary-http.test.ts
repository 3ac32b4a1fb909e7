import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { figure } from '../figures.ts';
import { Canary, spellings } from './canary.ts';
import { type Connected, connectHttp } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';
import { type HttpServer, startHttp } from './http-server.ts';

let dc: Datacentre;
let http: HttpServer;
let client: Connected;
const canary = new Canary(() => ({ 'token of HTTP': http.token }));

beforeAll(async () => {
  dc = await startDatacentre();
  http = await startHttp(dc, { MCP_MODE: 'trusted', MCP_TOOLSETS: 'full', MCP_TASK_WAIT_S: '2' });
  client = await connectHttp('v2-2026', http.url, http.token);
  for (const guest of dc.world.guests) guest.config.description = spellings(http.token).join(' | ');
});
afterAll(async () => {
  await client.close();
  await http.stop();
  await dc.stop();
});

/** Arguments with which a tool may do its work, and arguments that are the token itself. */
function argumentsFor(shape: readonly string[]): Record<string, unknown>[] {
  const echo = spellings(http.token)
    .map((word) => `echo '${word}'; echo '${word}' >&2`)
    .join('\n');
  const values: Record<string, unknown> = { guest: 102, vmid: 102, target: 'pve1', script: echo };
  const known = Object.fromEntries(shape.filter((key) => key in values).map((key) => [key, values[key]]));
  return [known, Object.fromEntries(shape.map((key) => [key, http.token])), { ...known, [http.token]: 1 }];
}

describe('guarantee 21: the bearer token of HTTP does not leave', () => {
  it('by any tool, through its answer, its progress and its errors', { timeout: 120_000 }, async () => {
    let hidden = 0;
    for (const { name, schema } of tools) {
      for (const args of argumentsFor(Object.keys(schema.shape))) {
        const progress: string[] = [];
        const { text, facts } = await client.call(name, args, { onProgress: (message) => progress.push(message) });
        const out = [text, JSON.stringify(facts), ...progress].join('\n');
        if (out.includes('[secret removed]')) hidden += 1;
        expect(canary.leaksIn(name, out)).toEqual([]);
      }
    }
    expect(hidden).toBeGreaterThan(tools.length);
  });

  it('by what is refused at the door', async () => {
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(new URL(path, http.url), init);
      return `${JSON.stringify([...response.headers])}${await response.text()}`;
    };
    const right = { authorization: `Bearer ${http.token}` };
    for (const [path, init] of [
      ['/health', { headers: right }],
      [`/${http.token}`, { headers: right }],
      [`/mcp?token=${http.token}`, {}],
      ['/mcp', { headers: { authorization: `Basic ${http.token}` } }],
      ['/mcp', { method: 'PUT', headers: right }],
      ['/mcp', { method: 'POST', headers: right, body: http.token }],
      ['/mcp', { headers: { ...right, 'mcp-session-id': http.token } }],
    ] as const) {
      expect(canary.leaksIn(path, await ask(path, init))).toEqual([]);
    }
  });

  it('to stderr, the command line, and any file but its own', async () => {
    expect(canary.leaksIn('stderr', http.stderr())).toEqual([]);
    expect(canary.leaksIn('argv', await readFile(`/proc/${http.child.pid}/cmdline`, 'utf8'))).toEqual([]);
    expect(canary.leaksIn('environment', await readFile(`/proc/${http.child.pid}/environ`, 'utf8'))).toEqual([]);
    const written = await readdir(dc.dir, { recursive: true, withFileTypes: true });
    const holding: string[] = [];
    for (const entry of written.filter((one) => one.isFile())) {
      const file = join(entry.parentPath, entry.name);
      if (canary.leaksIn(file, await readFile(file, 'utf8')).length > 0) holding.push(relative(dc.dir, file));
    }
    expect(holding).toEqual(['.config/proxmox-ssh-mcp/http-token']);
    figure(21, `the token of HTTP through ${tools.length} tools and the door: 0 in ${canary.seen}`);
  });
});
