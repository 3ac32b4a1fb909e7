import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../src/hooks/events.ts';
import { headersOf, messageOf } from '../../src/hooks/message.ts';
import { Secret } from '../../src/secret.ts';
import { newSecret } from './receiver.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'psm-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type IsGenuine = (headers: Record<string, string>, body: string, secret: string) => boolean;

async function example(): Promise<IsGenuine> {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const file = join(folder, 'example.mjs');
  writeFileSync(file, code);
  return ((await import(pathToFileURL(file).href)) as { isGenuine: IsGenuine }).isGenuine;
}

describe('docs/webhooks.md', () => {
  it('checks signatures by an example that takes what is genuine, and nothing else', async () => {
    const isGenuine = await example();
    const secret = newSecret();
    const key = new Secret(secret.replace('whsec_', ''));
    const happening = { type: 'change.made', data: { tool: 'ünï' }, hosts: [] } as const;
    const message = messageOf(happening, '1.0.0', String);
    const headers = headersOf(message, key, '1.0.0', Date.now());
    const { body } = message;
    expect(isGenuine(headers, body, secret)).toBe(true);
    const rotated = { ...headers, 'webhook-signature': `v1,AAAA v2,x ${headers['webhook-signature']}` };
    expect(isGenuine(rotated, body, secret)).toBe(true);
    expect(isGenuine(headers, `${body} `, secret)).toBe(false);
    expect(isGenuine(headers, body, newSecret())).toBe(false);
    expect(isGenuine({ ...headers, 'webhook-id': 'msg_1' }, body, secret)).toBe(false);
    expect(isGenuine({ ...headers, 'webhook-timestamp': '1' }, body, secret)).toBe(false);
    expect(isGenuine({}, body, secret)).toBe(false);
    const old = headersOf(message, key, '1.0.0', Date.now() - 301_000);
    expect(isGenuine(old, body, secret)).toBe(false);
  });

  it('describes every event, and shows a body of the right form', () => {
    const told = [...page.matchAll(/^\| `([a-z]+\.[a-z]+)` \|/gm)].map(([, type]) => type);
    expect(told).toEqual([...eventTypes, 'webhook.test']);
    const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
    const made = messageOf({ type: 'change.made', data: shown.data, hosts: [] }, shown.version, String);
    expect(Object.keys(JSON.parse(made.body))).toEqual(Object.keys(shown));
    expect(JSON.parse(made.body).data).toEqual(shown.data);
  });

  it('is what the specification’s own example gives', () => {
    // Standard Webhooks 1.0.0, libraries' test vector.
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };
    const key = new Secret('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(headersOf(message, key, '1', 1_614_265_330_000)['webhook-signature']).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });
});
