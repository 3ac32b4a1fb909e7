import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Box } from '../../src/hooks/box.ts';
import { keyOf } from '../../src/hooks/office.ts';
import { type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { newCa, newSecret, Receiver, signatureOf, status } from '../hooks/receiver.ts';
import { cli } from './cli.ts';

let dc: Datacentre;
let receiver: Receiver;
const secret = newSecret();
beforeAll(async () => {
  const ca = await newCa();
  [dc, receiver] = await Promise.all([startDatacentre(), Receiver.start(ca)]);
  await writePrivate(join(dc.dir, 'ca.pem'), ca.cert);
});
beforeEach(() => {
  receiver.got.length = 0;
  receiver.answer = status(204);
});
afterAll(() => Promise.all([dc.stop(), receiver.stop()]));

const shown = () => `https://127.0.0.1:${receiver.port}/…`;

async function run(command: readonly string[], settings: Record<string, string> = {}) {
  const hooked = {
    MCP_WEBHOOK_URL: receiver.url('/T0KEN'),
    MCP_WEBHOOK_SECRET: secret,
    MCP_WEBHOOK_CA_FILE: join(dc.dir, 'ca.pem'),
    MCP_TOOLSETS: 'pve',
  };
  const file = (await dc.launch({ ...hooked, ...settings })).args[3] ?? '';
  return cli([...command, '--settings-file', file], { home: dc.dir });
}

describe('webhook test', () => {
  it('posts one event, and tells what came back', async () => {
    const { code, stdout, stderr } = await run(['webhook', 'test']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^${shown()}: HTTP 204 after \\d+ ms\\n$`));
    const [only] = receiver.got;
    expect(receiver.got).toHaveLength(1);
    expect(only?.event).toMatchObject({ type: 'webhook.test', data: {} });
    if (only) expect(only.headers['webhook-signature']).toBe(signatureOf(only, secret));
  });

  it('tells what went wrong, with exit code 1 and without the path of the URL', async () => {
    receiver.answer = status(500);
    expect(await run(['webhook', 'test'])).toMatchObject({ code: 1, stdout: expect.stringContaining('HTTP 500') });
    const { code, stdout, stderr } = await run(['webhook', 'test'], { MCP_WEBHOOK_CA_FILE: '' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(`${shown()}: UNABLE_TO_VERIFY_LEAF_SIGNATURE\n`);
  });

  it('posts to those of hosts as well', async () => {
    const file = join(dc.dir, 'hooked.json');
    const hosts = { web1: { address: '10.0.0.1', webhook: receiver.url('/web1') }, web2: { address: '10.0.0.2' } };
    await writePrivate(file, JSON.stringify({ hosts }));
    expect(await run(['webhook', 'test'], { MCP_INVENTORY_FILE: file })).toMatchObject({ code: 0 });
    expect(receiver.got.map(({ path }) => path).toSorted()).toEqual(['/T0KEN', '/web1']);
  });

  it.each([
    [{ MCP_WEBHOOK_URL: '' }, 'No webhook is set.'],
    [{ MCP_WEBHOOK_SECRET: '' }, 'nothing is posted without MCP_WEBHOOK_SECRET'],
    [{ MCP_WEBHOOK_URL: 'http://169.254.169.254/' }, 'MCP_WEBHOOK_URL'],
  ])('with %j it says why nothing is posted', async (settings, says) => {
    const { code, stdout, stderr } = await run(['webhook', 'test'], settings);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(says)]);
    expect(receiver.got).toEqual([]);
  });
});

describe('doctor', () => {
  const line = async (settings: Record<string, string> = {}) => {
    const { stdout } = await run(['doctor', '--json'], settings);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; says: string; cure?: string }[] };
    return checks.filter(({ name }) => name.startsWith('webhook'));
  };

  it('tells how deliveries went', async () => {
    const box = new Box(join(dc.dir, 'webhooks', keyOf(receiver.url('/T0KEN'))));
    onTestFinished(() => box.empty());
    await box.put({ failures: 0, nextAt: 0 });
    expect(await line()).toEqual([
      { name: 'webhook', state: 'ok', says: `${shown()}; nothing was delivered yet; 0 waiting` },
    ]);
    const minutesAgo = Date.now() - 5 * 60_000;
    await box.put({ failures: 3, nextAt: 0, deliveredAt: minutesAgo, failedAt: minutesAgo, trouble: 'HTTP 500' });
    await box.add({ id: 'a', body: '{}' }, Date.now());
    await box.add({ id: 'b', body: '{}' }, Date.now());
    await box.giveUp(await box.names().then((names) => names.slice(0, 1)), 'of a test');
    const [failing] = await line();
    expect(failing).toMatchObject({ state: 'warning', cure: 'Try it with: proxmox-ssh-mcp webhook test' });
    expect(failing?.says).toMatch(
      /^https:\/\/127.0.0.1:\d+\/…; last delivery 5 min .*ago; 1 waiting; 1 given up; failed 3 times in a row, last 5 min .*ago: HTTP 500$/,
    );
    await box.put({ failures: 1, nextAt: 0, stoppedAt: minutesAgo, failedAt: minutesAgo, trouble: 'HTTP 410' });
    expect(await line()).toMatchObject([
      { state: 'failed', says: expect.stringMatching(/HTTP 410; stopped 5 min .*ago/) },
    ]);
    expect(await run(['webhook', 'test'])).toMatchObject({ code: 0 });
    expect(await line()).toMatchObject([{ state: 'ok' }]);
    expect(receiver.got).toHaveLength(1);
  });

  it('says nothing of them where none is set', async () => expect(await line({ MCP_WEBHOOK_URL: '' })).toEqual([]));
});
