import dns from 'node:dns/promises';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { send } from '../../src/hooks/send.ts';
import { type Identity, identity } from '../rig/tls.ts';
import { newCa, Receiver, status } from './receiver.ts';

let ca: Identity;
let receiver: Receiver;
beforeAll(async () => {
  ca = await newCa();
  receiver = await Receiver.start(ca);
});
afterAll(() => receiver.stop());

const real = dns.lookup;
const asked: string[] = [];
/** Names mean these addresses, one list after the other; the last one stays. */
function names(...answers: readonly (readonly string[])[]): void {
  const fake = async (name: string) => {
    asked.push(name);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  dns.lookup = fake as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
}
afterEach(() => {
  asked.length = 0;
  dns.lookup = real;
  syncBuiltinESMExports();
});

const post = (url: string, over: Partial<Parameters<typeof send>[3]> = {}) =>
  send(url, { 'content-length': '2' }, '{}', { plainHttp: false, ca: ca.cert, timeoutMs: 2_000, ...over });

describe('the addresses that a name has', () => {
  it.each([
    [['169.254.169.254']],
    [['127.0.0.1', '169.254.169.254']],
    [['::ffff:169.254.169.254']],
    [['fe80::1']],
    [['fd00:ec2::254']],
    [['0.0.0.0']],
    [['255.255.255.255']],
    [['ff02::1']],
    [['64:ff9b::a9fe:a9fe']],
  ])('%j: nothing is sent', async (addresses) => {
    names(addresses);
    const before = receiver.connections;
    expect(await post(`https://hooks.example.com:${receiver.port}/`)).toEqual({
      trouble: 'hooks.example.com leads to a link-local, multicast, metadata or reserved address',
    });
    expect(receiver.connections).toBe(before);
  });

  it('are looked up once, and those that were looked at are connected to', async () => {
    names(['127.0.0.1'], ['169.254.169.254']);
    const before = receiver.connections;
    // The certificate is good for 127.0.0.1 alone: the connection is made, and nothing is said over it.
    expect(await post(`https://hooks.example.com:${receiver.port}/`)).toEqual({
      trouble: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(receiver.connections).toBe(before + 1);
    expect(receiver.got).toEqual([]);
    expect(asked).toEqual(['hooks.example.com']);
  });

  it('may be none', async () => {
    names([]);
    expect(await post('https://hooks.example.com/')).toEqual({ trouble: 'hooks.example.com has no address' });
  });

  it('may not be found', async () => expect(await post('https://nosuch.invalid/')).toHaveProperty('trouble'));
});

describe('TLS', () => {
  it.each([
    ['of an authority that is not known', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['that has expired', { days: -1 }, 'CERT_HAS_EXPIRED'],
    ['of another name', { address: '10.0.0.1' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('a certificate %s is refused, whatever the environment says', async (_, options, trouble) => {
    const other = await Receiver.start(ca, await identity({ ca, ...options }));
    onTestFinished(() => other.stop());
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    onTestFinished(() => {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    });
    const known = trouble === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' ? undefined : ca.cert;
    expect(await post(other.url(), { ca: known })).toEqual({ trouble });
    expect(other.got).toEqual([]);
  });

  it('is spoken to what is set as https', async () => {
    const plain = await Receiver.start();
    onTestFinished(() => plain.stop());
    expect(await post(plain.url().replace('http:', 'https:'))).toHaveProperty('trouble');
    expect(plain.got).toEqual([]);
  });
});

describe('plain HTTP', () => {
  it('is spoken where the settings allow it, to this machine and private networks', async () => {
    const plain = await Receiver.start();
    onTestFinished(() => plain.stop());
    expect(await post(plain.url())).toEqual({ trouble: 'http:// is not allowed by the settings' });
    expect(await post(plain.url(), { plainHttp: true })).toEqual({ status: 204 });
    for (const address of ['1.1.1.1', '2606:4700::1111', '64:ff9b::101:101']) {
      names([address]);
      expect(await post(`http://hooks.example.com:${plain.port}/`, { plainHttp: true })).toEqual({
        trouble: 'http:// is for this machine and private networks only',
      });
      asked.length = 0;
    }
    expect(plain.got).toHaveLength(1);
  });
});

describe('an answer', () => {
  it('is waited for until the time is over', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const began = performance.now();
    expect(await post(`https://127.0.0.1:${port}/`, { timeoutMs: 300 })).toEqual({ trouble: 'no answer within 0.3 s' });
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it.each([
    [
      '101 with another protocol',
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'closed without an answer',
    ],
    ['no HTTP', '\u0000\u001b[2Jgarbage\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1_000_000)}`, 'HPE_HEADER_OVERFLOW'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(100_000)}`, 'HPE_HEADER_OVERFLOW'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HPE_INVALID_TRANSFER_ENCODING',
    ],
    ['a status that is none', 'HTTP/1.1 2000000000 OK\r\n\r\n', 'HPE_INVALID_STATUS'],
    ['100 Continue for ever', 'HTTP/1.1 100 Continue\r\n\r\n', 'no answer within 0.5 s'],
    ['nothing', '', 'ECONNRESET'],
  ])('that is none is told as that in time: %s', async (_, bytes, trouble) => {
    const hostile = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => (bytes === '' ? socket.end() : socket.write(bytes)));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void hostile.close());
    await once(hostile, 'listening');
    const { port } = hostile.address() as { port: number };
    const url = `http://127.0.0.1:${port}/`;
    expect(await post(url, { plainHttp: true, timeoutMs: 500 })).toEqual({ trouble });
  });

  it('is read no further than its head', async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    };
    expect(await post(receiver.url())).toEqual({ status: 200 });
    while (receiver.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('that leads elsewhere is not followed', async () => {
    const before = receiver.got.length;
    for (const code of [301, 302, 303, 307, 308]) {
      receiver.answer = status(code, { location: receiver.url('/elsewhere') });
      expect(await post(receiver.url())).toEqual({ status: code });
    }
    expect(receiver.got.slice(before).map(({ path }) => path)).toEqual(Array(5).fill('/hook'));
  });
});
