import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { initialize, type RawSession, startRaw } from '../e2e/raw.ts';
import { fromSource } from './source.ts';

let dc: Datacentre;
const open: RawSession[] = [];
beforeAll(async () => {
  dc = await startDatacentre();
});
afterEach(async () => {
  for (const { child } of open) child.stdin?.end();
  await Promise.all(open.splice(0).map(({ gone }) => gone));
});
afterAll(() => dc.stop());

async function session(settings: Record<string, string> = {}, before?: string): Promise<RawSession> {
  const raw = startRaw(await fromSource(dc, settings, before));
  open.push(raw);
  await initialize(raw);
  return raw;
}

describe('guarantee 24: whatever becomes of the pipes', () => {
  it('a line that never ends: gone with a sentence on stderr, not left behind deaf', { timeout: 120_000 }, async () => {
    const raw = await session();
    raw.write('x'.repeat(33 * 1024 * 1024));
    expect(await raw.gone).toEqual({ code: 0, signal: null });
    expect(raw.stderr()).toContain('exceeded maximum size');
  });

  it('nobody reads stderr any more: garbage is still only garbage', async () => {
    const raw = await session();
    raw.child.stderr?.destroy();
    for (let i = 0; i < 20; i++) raw.write('garbage\n{"jsonrpc":"2.0","id":{},"method":5}\n');
    expect((await raw.request('tools/list')).result).toHaveProperty('tools');
    expect((await raw.request('tools/list')).result).toHaveProperty('tools');
  });

  it('says of garbage one line each on stderr, with no secret and no control character', async () => {
    const raw = await session({ SSH_PASSWORD: 'correct horse' });
    raw.write('correct horse \u001b[2J\n{"jsonrpc":"2.0","id":{},"method":5}\n');
    await raw.request('tools/list');
    expect(raw.stderr()).not.toMatch(/correct horse|\u001b/);
    for (const line of raw.stderr().trim().split('\n')) expect(line).toMatch(/^proxmox-ssh-mcp: /);
  });
});

describe('guarantee 25: an error that nobody caught', () => {
  it('ends the process in order: the running call is answered, the exit code is 1', async () => {
    const raw = await session({}, "process.on('SIGUSR2', () => { throw new Error('boom'); })");
    const id = raw.send('tools/call', { name: 'ssh_exec', arguments: { target: 'pve1', script: 'sleep 30' } });
    while (!(await dc.audit().catch(() => '')).includes('sleep 30')) await new Promise((on) => setTimeout(on, 20));
    raw.child.kill('SIGUSR2');
    expect(await raw.gone).toEqual({ code: 1, signal: null });
    expect(raw.stderr()).toContain('proxmox-ssh-mcp: boom\n');
    expect((await raw.reply(id)).result).toMatchObject({ isError: true, structuredContent: { error: 'cancelled' } });
  });
});
