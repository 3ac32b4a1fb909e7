import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/server';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startChromium } from '../rig/chromium.ts';
import { ask, openRig, ping, type Rig, TOKEN } from './http-rig.ts';

let browser: Browser;
let rig: Rig;
/** Requests that came as far as the protocol. */
let reached = 0;
beforeAll(async () => {
  // A name of the attacker that means this machine by now.
  browser = await startChromium('--host-resolver-rules=MAP evil.example 127.0.0.1');
  rig = await openRig({
    build() {
      reached += 1;
      return new McpServer({ name: 'rig', version: '1' }, { capabilities: { tools: {} } });
    },
  });
});
afterAll(async () => {
  await browser.close();
  await rig.stop();
});

/** What a page tries, worst of all with the right token; each gives what it could read, or that it could not. */
const attempts = (url: string): string => `(async () => {
  const authorization = 'Bearer ${TOKEN}';
  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = ${JSON.stringify(ping)};
  const read = (answer) => answer.text().then((text) => answer.type + ' ' + answer.status + ' ' + text);
  const waited = (one, good) => new Promise((resolve) => {
    one.onerror = () => resolve('no');
    one[good] = () => resolve('yes');
    setTimeout(() => resolve('silence'), 3000);
  });
  const tries = {
    get: () => fetch('${url}/health').then(read),
    simple: () => fetch('${url}/mcp', { method: 'POST', body }).then(read),
    opaque: () => fetch('${url}/mcp', { method: 'POST', body, mode: 'no-cors' }).then(read),
    token: () => fetch('${url}/mcp', { method: 'POST', body, headers: { ...json, authorization } }).then(read),
    credentials: () => fetch('${url}/mcp', { method: 'POST', body, headers: json, credentials: 'include' }).then(read),
    socket: () => waited(new WebSocket('${url}/mcp'.replace('http', 'ws')), 'onopen'),
    stream: () => waited(new EventSource('${url}/mcp'), 'onmessage'),
    beacon: () => Promise.resolve(String(navigator.sendBeacon('${url}/mcp', body))),
    script: () => {
      const script = document.createElement('script');
      script.src = '${url}/health';
      document.body.append(script);
      return waited(script, 'onload');
    },
    form: () => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'POST', action: '${url}/mcp', enctype: 'text/plain', target: 'frame' });
      const frame = Object.assign(document.createElement('iframe'), { name: 'frame' });
      document.body.append(frame, form);
      form.submit();
      return new Promise((resolve) => { frame.onload = () => resolve('sent'); });
    },
  };
  const told = {};
  for (const [name, act] of Object.entries(tries)) told[name] = await act().catch(() => 'no');
  return told;
})()`;

/** The page is from this machine too, or the browser alone would keep it from calling one. */
async function tried(page: string, url: string): Promise<Record<string, string>> {
  const tab = await browser.newPage();
  await tab.goto(page);
  const told = await tab.evaluate<Record<string, string>>(attempts(url));
  await tab.close();
  return told;
}

describe('a web page in the browser of the operator', () => {
  it('reads nothing of this server and calls nothing, from an origin of its own, even with the token', async () => {
    const cats = createServer((_, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><body>Cats'));
    onTestFinished(() => void cats.close());
    await once(cats.listen(0, '127.0.0.1'), 'listening');
    const { port } = cats.address() as AddressInfo;
    const told = await tried(`http://evil.example:${port}/`, `http://127.0.0.1:${rig.port}`);
    for (const name of ['get', 'simple', 'token', 'credentials', 'socket', 'stream'])
      expect(told[name], name).toBe('no');
    expect(told.opaque).toMatch(/^(no|opaque 0 )$/);
    expect(JSON.stringify(told)).not.toMatch(/"?status"?:|result|1\.2\.3/);
    expect(reached).toBe(0);
  });

  it('does no more when its own name means this machine: DNS rebinding', async () => {
    const url = `http://evil.example:${rig.port}`;
    // Its own page is gone by now, but any answer has its origin.
    const told = await tried(`${url}/`, url);
    for (const name of ['get', 'simple', 'token', 'credentials']) expect(told[name], name).toMatch(/^basic 403 /);
    expect(told.socket).toBe('no');
    expect(told.stream).toBe('no');
    expect(JSON.stringify(told)).not.toMatch(/"ok"|result|1\.2\.3/);
    expect(reached).toBe(0);
  });

  it('is what keeps it out: a client that is no page comes as far as the protocol', async () => {
    expect((await ask(rig, { body: ping })).status).toBe(400);
    expect(reached).toBe(1);
  });
});
