import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { Box } from '../../src/hooks/box.ts';
import { eventTypes } from '../../src/hooks/events.ts';
import { createHooks } from '../../src/hooks/hooks.ts';
import { keyOf } from '../../src/hooks/office.ts';
import { Secret } from '../../src/secret.ts';
import type { Identity } from '../rig/tls.ts';
import { runAsRoot } from '../rig/users.ts';
import { change, folderOf, labOf } from './office.ts';
import { newCa, Receiver, signatureOf, status } from './receiver.ts';

let ca: Identity;
beforeAll(async () => {
  ca = await newCa();
});

const toolsOf = (from: Receiver): unknown[] => from.got.map(({ event }) => event.data.tool);
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await wait(10);
};

describe.concurrent('an event', () => {
  it('is signed and shaped as Standard Webhooks has it', async (test) => {
    const { receiver, open, secret } = await labOf(test, ca);
    await open().take(change('pve_guest_power'), [receiver.url('/hook?key=x')]);
    const [first] = await receiver.requests(1);
    if (!first) throw new Error('nothing came');
    const { headers, body, event } = first;
    expect(first.path).toBe('/hook?key=x');
    expect(headers['webhook-signature']).toBe(signatureOf(first, secret));
    expect(headers['webhook-id']).toBe(event.id);
    expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - Date.now())).toBeLessThan(5_000);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'proxmox-ssh-mcp/1.2.3' });
    expect(JSON.parse(body)).toEqual({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      type: 'change.made',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      version: '1.2.3',
      data: { tool: 'pve_guest_power' },
    });
  });

  it('waits in files that nobody else can read, without the URL, and without a trace once it was taken', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    receiver.answer = status(503);
    await open().take(change('a'), [receiver.url('/T0KEN')]);
    await receiver.requests(1);
    const box = join(folder, keyOf(receiver.url('/T0KEN')));
    await until(() => readdirSync(box).includes('state.json'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(box).filter((name) => name.endsWith('.json'));
    expect(files).toHaveLength(2);
    for (const name of files) {
      expect(statSync(join(box, name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(box, name), 'utf8')).not.toContain('T0KEN');
    }
    receiver.answer = status(204);
    await receiver.requests(2);
    await until(() => readdirSync(box).join() === 'state.json');
  });
});

describe.concurrent('what is not taken', () => {
  it('comes again, the same and signed anew, after longer and longer times, and nothing overtakes it', async (test) => {
    const { receiver, open, secret } = await labOf(test, ca);
    let times = 0;
    receiver.answer = (response, delivery) => {
      times += 1;
      if (times === 1) status(500)(response, delivery);
      else if (times === 2) response.socket?.destroy();
      else status(200)(response, delivery);
    };
    const office = open();
    for (const tool of ['a', 'b', 'c']) await office.take(change(tool), [receiver.url()]);
    const [one, two, three] = (await receiver.requests(5)).slice(0, 3);
    expect(toolsOf(receiver)).toEqual(['a', 'a', 'a', 'b', 'c']);
    if (!one || !two || !three) throw new Error('fewer came');
    expect([two.body, three.body]).toEqual([one.body, one.body]);
    expect(three.headers['webhook-signature']).toBe(signatureOf(three, secret));
    expect(two.at - one.at).toBeGreaterThanOrEqual(490);
    expect(three.at - two.at).toBeGreaterThanOrEqual(990);
    expect(receiver.mostOpen).toBe(1);
  });

  it.for([408, 429, 502])('comes again after %i', async (code, test) => {
    const { receiver, open } = await labOf(test, ca);
    receiver.answer = (response, delivery) => status(receiver.got.length === 1 ? code : 204)(response, delivery);
    await open().take(change('a'), [receiver.url()]);
    await receiver.requests(2);
  });

  it('comes again when the receiver said that it may', async (test) => {
    const { receiver, open } = await labOf(test, ca);
    receiver.answer = (response, delivery) =>
      status(receiver.got.length === 1 ? 503 : 204, { 'retry-after': '2' })(response, delivery);
    await open().take(change('a'), [receiver.url()]);
    const [one, two] = await receiver.requests(2);
    expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(1_990);
  });

  it.for<[string, number]>([
    ['999999999', 3600_000],
    [new Date(Date.now() + 86_400_000).toUTCString(), 3600_000],
    ['0', 1_000],
    ['-5', 1_000],
    ['soon', 1_000],
  ])('waits within bounds when it was told to for %j', async ([text, most], test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    receiver.answer = status(503, { 'retry-after': text });
    const office = open();
    await office.take(change('a'), [receiver.url()]);
    const box = new Box(join(folder, keyOf(receiver.url())));
    await until(async () => (await box.state()).failures === 1);
    const { nextAt, failedAt = 0 } = await box.state();
    expect(nextAt - failedAt).toBeLessThanOrEqual(most);
    expect(nextAt - failedAt).toBeGreaterThanOrEqual(Math.min(most, 3600_000) / 2);
  });

  it.for([401, 404, 302, 307])('is given up after three times %i, and the next one is sent', async (code, test) => {
    const { receiver, open, told, folder } = await labOf(test, ca);
    const other = await Receiver.start(ca);
    test.onTestFinished(() => other.stop());
    receiver.answer = (response, { event }) =>
      status(event.data.tool === 'a' ? code : 204, { location: other.url() })(response, { event } as never);
    const office = open();
    for (const tool of ['a', 'b']) await office.take(change(tool), [receiver.url()]);
    await receiver.requests(4);
    expect(toolsOf(receiver)).toEqual(['a', 'a', 'a', 'b']);
    expect(other.got).toEqual([]);
    expect(told).toEqual([
      `webhook https://127.0.0.1:${receiver.port}/…: an event was given up, because it was refused 3 times (HTTP ${code}).`,
    ]);
    expect(await new Box(join(folder, keyOf(receiver.url()))).dropped()).toBe(1);
  });

  it('is forgotten after 410, with all that comes later, and told', async (test) => {
    const { receiver, open, told, folder } = await labOf(test, ca);
    receiver.answer = status(410);
    const office = open();
    for (const tool of ['a', 'b']) await office.take(change(tool), [receiver.url()]);
    const box = new Box(join(folder, keyOf(receiver.url())));
    await until(async () => (await box.state()).stoppedAt !== undefined && (await box.names()).length === 0);
    await office.take(change('c'), [receiver.url()]);
    await until(async () => (await box.names()).length === 0);
    expect(toolsOf(receiver)).toEqual(['a']);
    expect(told).toEqual([expect.stringContaining('it said 410')]);
  });

  it('does not wait for a clock that was wrong', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    await new Box(join(folder, keyOf(receiver.url()))).put({ failures: 1, nextAt: Date.now() + 10 * 3600_000 });
    await open().take(change('a'), [receiver.url()]);
    await receiver.requests(1);
  });

  it('is dropped when its file was damaged, and the next one is sent', async (test) => {
    const { receiver, open, told, folder } = await labOf(test, ca);
    const box = new Box(join(folder, keyOf(receiver.url())));
    for (const id of ['a', 'b']) await box.add({ id, body: `{"data":{"tool":"${id}"}}` }, Date.now());
    const [first = ''] = await box.names();
    writeFileSync(join(box.folder, first), '');
    await open().resume([receiver.url()]);
    await receiver.requests(1);
    expect(toolsOf(receiver)).toEqual(['b']);
    expect(told).toEqual([expect.stringContaining('it could not be read')]);
  });

  it('is dropped after three days', async (test) => {
    const { receiver, open, told, folder } = await labOf(test, ca);
    const box = new Box(join(folder, keyOf(receiver.url())));
    await box.add({ id: 'old', body: '{"data":{"tool":"old"}}' }, Date.now() - 3 * 86_400_000 - 1);
    await box.add({ id: 'new', body: '{"data":{"tool":"new"}}' }, Date.now() - 3 * 86_400_000 + 60_000);
    await open().resume([receiver.url()]);
    await receiver.requests(1);
    expect(toolsOf(receiver)).toEqual(['new']);
    expect(told).toEqual([expect.stringContaining('they waited for three days')]);
  });
});

describe.concurrent('a receiver that does not answer', () => {
  it('holds up nobody, and gets the event at the next start', async (test) => {
    const { receiver, open } = await labOf(test, ca);
    receiver.answer = () => undefined;
    const office = open();
    const began = performance.now();
    for (const tool of ['a', 'b']) await office.take(change(tool), [receiver.url()]);
    expect(performance.now() - began).toBeLessThan(1_000);
    await receiver.requests(1);
    const closing = performance.now();
    await office.close(100);
    expect(performance.now() - closing).toBeLessThan(400);
    receiver.answer = status(204);
    await open().resume([receiver.url()]);
    await receiver.requests(3);
    expect(toolsOf(receiver)).toEqual(['a', 'a', 'b']);
    expect(receiver.got[1]?.headers['webhook-id']).toBe(receiver.got[0]?.headers['webhook-id']);
  });
});

describe.concurrent('several processes on one folder', () => {
  it('send each event once, one at a time', async (test) => {
    const { receiver, open } = await labOf(test, ca);
    receiver.answer = (response, delivery) => setTimeout(() => status(204)(response, delivery), 5);
    const offices = [open(), open(), open()];
    const each = Array.from({ length: 20 }, (_, i) => i);
    await Promise.all(
      offices.map(async (office, o) => {
        for (const i of each) await office.take(change(`${o}.${i}`), [receiver.url()]);
      }),
    );
    await receiver.requests(60);
    expect(new Set(toolsOf(receiver)).size).toBe(60);
    for (const o of [0, 1, 2]) {
      const own = toolsOf(receiver).filter((tool) => String(tool).startsWith(`${o}.`));
      expect(own).toEqual(each.map((i) => `${o}.${i}`));
    }
    expect(receiver.mostOpen).toBe(1);
  });

  it('go on where one of them was killed', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    const box = join(folder, keyOf(receiver.url()));
    mkdirSync(box, { recursive: true });
    writeFileSync(join(box, 'lock'), 'another process');
    const office = open();
    await office.take(change('a'), [receiver.url()]);
    await wait(1_500);
    expect(receiver.got).toEqual([]);
    utimesSync(join(box, 'lock'), new Date(), new Date(Date.now() - 6_000));
    await receiver.requests(1);
  });

  it('leave the events of a URL that is no longer set, and forget them in time', async (test) => {
    const { receiver, open, folder } = await labOf(test, ca);
    const gone = new Box(join(folder, keyOf('https://gone.example.com/')));
    await gone.add({ id: 'x', body: '{}' }, Date.now());
    await open().resume([receiver.url()]);
    expect(await gone.names()).toHaveLength(1);
    const [name = ''] = await gone.names();
    await gone.remove(name);
    await gone.add({ id: 'x', body: '{}' }, Date.now() - 4 * 86_400_000);
    await open().resume([receiver.url()]);
    expect(readdirSync(folder)).not.toContain(keyOf('https://gone.example.com/'));
    expect(receiver.got).toEqual([]);
  });
});

describe.concurrent('a flood', () => {
  it('keeps the newest thousand, and tells of the rest', async (test) => {
    const { receiver, open, told, folder } = await labOf(test, ca);
    const box = new Box(join(folder, keyOf(receiver.url())));
    await box.put({ failures: 3, nextAt: Date.now() + 60_000 });
    const office = open();
    for (let i = 0; i < 1_010; i++) await office.take(change(`t${i}`), [receiver.url()]);
    expect(await box.names()).toHaveLength(1_000);
    expect((await box.first())?.message.body).toContain('"t10"');
    expect(await box.dropped()).toBe(10);
    expect(told).toEqual([expect.stringContaining('an event was given up, because more than 1000 were waiting')]);
    expect(receiver.got).toEqual([]);
  });
});

describe.concurrent('a disk that takes nothing', () => {
  it('does not keep an event from being sent, nor from being sent again, nor makes it hurry', async (test) => {
    const folder = join(folderOf(test), 'full');
    mkdirSync(folder);
    runAsRoot(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', folder]);
    test.onTestFinished(() => void runAsRoot(['umount', folder]));
    writeFileSync(join(folder, 'filler'), 'x'.repeat(4096));
    const { receiver, open } = await labOf(test, ca, { folder: join(folder, 'webhooks') });
    receiver.answer = (response, delivery) => status(receiver.got.length === 1 ? 500 : 204)(response, delivery);
    const office = open();
    for (const tool of ['a', 'b']) await office.take(change(tool), [receiver.url()]);
    const [one, two] = await receiver.requests(3);
    expect(toolsOf(receiver)).toEqual(['a', 'a', 'b']);
    expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(490);
  });

  it('and one that may not be written does neither', async (test) => {
    const folder = join(folderOf(test), 'file');
    writeFileSync(folder, 'no folder');
    const { receiver, open } = await labOf(test, ca, { folder });
    await open().take(change('a'), [receiver.url()]);
    await receiver.requests(1);
  });
});

describe.concurrent('a folder for events that others can write', () => {
  const planted = { id: 'msg_planted', body: JSON.stringify({ id: 'msg_planted', type: 'change.made', data: {} }) };

  const kinds = ['open to all', 'somebody else’s', 'a link'] as const;
  it.for(kinds)('is not used when it is %s: what lies there is not signed', async (kind, test) => {
    const { receiver, folder, secret, told } = await labOf(test, ca);
    const place = kind === 'a link' ? join(folderOf(test), 'elsewhere') : folder;
    const box = join(place, keyOf(receiver.url()));
    mkdirSync(box, { recursive: true });
    writeFileSync(join(box, `${Date.now()}-000000-0badcafe.json`), JSON.stringify(planted));
    if (kind === 'open to all') chmodSync(folder, 0o777);
    if (kind === 'a link') symlinkSync(place, folder);
    const uid = (process.getuid?.() ?? 0) + (kind === 'somebody else’s' ? 1 : 0);
    const hooks = createHooks({
      ...{ folder, uid, version: '1', ca: ca.cert, plainHttp: false, redact: String, events: eventTypes },
      ...{
        secret: new Secret(secret.replace('whsec_', '')),
        url: new Secret(receiver.url()),
        ofHosts: () => new Map(),
      },
      tell: (text) => told.push(text),
    });
    hooks.connection(
      { name: 'pve1', address: '192.0.2.1', port: 22, user: 'root' },
      new Failure('unreachable', 'Gone.', ''),
    );
    await until(async () => told.length > 0);
    await hooks.close();
    expect(told[0]).toContain(`A webhook was not told: Events cannot wait in ${folder}: others could write there.`);
    expect(receiver.got).toEqual([]);
  });
});
