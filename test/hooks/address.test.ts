import { describe, expect, it } from 'vitest';
import { askedUrl, hookUrl, type Reach, reachOf, urlInShort } from '../../src/hooks/address.ts';

const reaches: Record<Reach, readonly string[]> = {
  never: [
    '0.0.0.0',
    '0.1.2.3',
    '169.254.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'febf:ffff::1',
    'fec0::1',
    'ff02::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    // IPv4 in the clothes of IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '::ffff:0:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '2001:0:1234::1',
    'no address',
    '',
    '1.2.3',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.10',
    '100.64.0.1',
    '198.18.0.1',
    'fc00::1',
    'fd12:3456::1',
    '::ffff:192.168.1.1',
    '64:ff9b:1::1',
  ],
  public: [
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.2.1',
    '2606:4700::1111',
    '64:ff9b::101:101',
    '2002:101:101::',
  ],
};

const table = Object.entries(reaches).flatMap(([reach, addresses]) => addresses.map((one) => [one, reach] as const));

it.each(table)('%s is %s', (address, reach) => expect(reachOf(address)).toBe(reach));

describe('a URL that is set', () => {
  it.each([
    'https://hooks.example.com/x?y=z',
    'https://hooks.example.com:8443/',
    'https://192.168.1.5/',
    'https://127.0.0.1:9000/',
    'https://[::1]/',
    'http://10.0.0.1/',
    'HTTPS://EXAMPLE.com',
  ])('%s is taken', (text) => expect(hookUrl(text)).toBeInstanceOf(URL));

  it.each([
    ['hooks.example.com', 'be a URL'],
    ['', 'be a URL'],
    ['https://', 'be a URL'],
    ['https://a b/', 'be a URL'],
    ['https://256.1.1.1/', 'be a URL'],
    ['https://x:65536/', 'be a URL'],
    ['ftp://example.com/', 'begin with https://'],
    ['file:///etc/passwd', 'begin with https://'],
    ['javascript:alert(1)', 'begin with https://'],
    ['https://user@example.com/', 'have no user'],
    ['https://user:pw@example.com/', 'have no user'],
    ['https://127.0.0.1@example.com/', 'have no user'],
    ['https://example.com/#part', 'have no part after #'],
    ['https://example.com:0/', 'no port 0'],
    ['https://169.254.169.254/latest', 'not lead to a link-local'],
    // Decimal, octal, hexadecimal, short, full-width digits, with a last dot.
    ['https://2852039166/', 'not lead to a link-local'],
    ['https://0251.0376.0251.0376/', 'not lead to a link-local'],
    ['https://0xa9.0xfe.0xa9.0xfe/', 'not lead to a link-local'],
    ['https://0xA9FEA9FE/', 'not lead to a link-local'],
    ['https://169.254.43518/', 'not lead to a link-local'],
    ['https://１６９.254.169.254/', 'not lead to a link-local'],
    ['https://169.254.169.254./', 'not lead to a link-local'],
    ['https://[::ffff:169.254.169.254]/', 'not lead to a link-local'],
    ['https://[fe80::1]/', 'not lead to a link-local'],
    ['https://[fd00:ec2::254]/', 'not lead to a link-local'],
    ['https://0/', 'not lead to a link-local'],
    ['https://[::]/', 'not lead to a link-local'],
    ['https://255.255.255.255/', 'not lead to a link-local'],
    ['https://224.0.0.1/', 'not lead to a link-local'],
  ])('%s must %s', (text, wrong) => expect(hookUrl(text)).toEqual({ wrong: expect.stringContaining(wrong) }));
});

describe('a URL that a model asks for', () => {
  it.each(['https://hooks.example.com/', 'https://192.168.1.5/x'])('%s can be put to a human', (text) =>
    expect(askedUrl(text)).toBeInstanceOf(URL),
  );

  it.each([
    'http://hooks.example.com/',
    'http://10.0.0.1/',
    'https://localhost/',
    'https://LOCALHOST.:8080/',
    'https://x.localhost/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0x7f000001/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://169.254.169.254/',
    'https://a:b@hooks.example.com/',
  ])('%s is refused', (text) => expect(askedUrl(text)).toHaveProperty('wrong'));
});

it('shows of a URL what is no secret', () => {
  expect(urlInShort('https://hooks.example.com:8443/T0KEN?key=x')).toBe('https://hooks.example.com:8443/…');
  expect(urlInShort('nonsense')).toBe('…');
});
