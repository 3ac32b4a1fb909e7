import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Failure } from '../../src/failure.ts';
import { parseApidoc, readMethods } from '../../src/pve/apidoc.ts';
import { dataOf, parse, textOf } from '../../src/pve/data.ts';
import { type Asked, failureOf, meaningOf } from '../../src/pve/errors.ts';
import { wrongText } from '../../src/pve/formats.ts';
import { words } from '../../src/pve/rows.ts';
import { parseUpid } from '../../src/pve/upid.ts';
import { expectLinear, expectSound } from '../hostile.ts';

const asked: Asked = { method: 'GET', path: '/nodes/pve1/status', endpoint: 'pve1:8006', token: 'root@pam!mcp' };

it('ids of tasks are read in linear time, or refused', () => {
  const upids = [
    'UPID:pve1:0004F2A1:0183BC2E:68AF3C11:vzstart:400:root@pam!mcp:',
    'UPID:pve-2:0004F2A1:0183BC2E1:68AF3C11:aptupdate::root@pam:',
  ];
  expectSound(parseUpid, upids, ({ node, type, user, startTime }, text) => {
    expect(text.split(':')).toEqual(expect.arrayContaining([node, type, user]));
    expect(startTime).toBeGreaterThanOrEqual(0);
  });
  expectLinear(parseUpid, [
    (repeat) => `UPID:${repeat}:0004F2A1:`,
    (repeat) => `UPID:pve1:0004F2A1:0183BC2E:68AF3C11:${repeat}`,
  ]);
});

describe('what a server answers, whatever it is,', () => {
  const bodies = [
    '{"data":[{"vmid":400,"status":"running","n":1.5,"name":null}]}',
    '{"data":null,"message":"Parameter verification failed.\\n","errors":{"vmid":"invalid format\\n","net0":"x"}}',
    '{"message":"CT is locked (backup)","data":null}',
    '{"data":null,"errors":{"a":{"toString":1,"valueOf":[]},"b":null,"c":["x"]},"message":"no"}',
  ];
  const shape = z.array(z.object({ vmid: z.number(), status: z.string() }));

  it('is data of the shape that is wanted, or a failure', () =>
    expectSound(
      (body) => parse('pve1:8006', '/x', shape, dataOf(asked, { status: 200, statusText: 'OK', body })),
      [bodies[0] ?? ''],
      (rows) => {
        for (const { vmid, status } of rows) expect([typeof vmid, typeof status]).toEqual(['number', 'string']);
      },
    ));

  it.each([301, 400, 401, 403, 404, 500, 501, 502, 595])(
    'with status %i is a failure with cause and cure',
    (status) => {
      const fail = (body: string) => failureOf(asked, { status, statusText: body.slice(0, 100), body });
      expectSound(
        fail,
        bodies,
        ({ message, hint }) => {
          expect(message.length > 5 && hint.length > 5).toBe(true);
          expect(message.length).toBeLessThan(60_000);
        },
        { runs: 400 },
      );
      expectLinear(fail, [(repeat) => JSON.stringify({ message: repeat, errors: { a: repeat } })]);
    },
  );

  it('is looked at in linear time', () => {
    expectLinear((text) => textOf(asked, { status: 200, statusText: 'OK', body: text }));
    expectLinear((text) => failureOf(asked, { status: 500, statusText: text, body: '' }));
    expectLinear((text) => meaningOf(text.slice(0, 4_000), '400'));
    expectLinear(words);
  });

  it('of a failure is never of another class', () => {
    const body = bodies[3] ?? '';
    expect(failureOf(asked, { status: 400, statusText: 'no', body })).toBeInstanceOf(Failure);
  });
});

describe("the server's own description of its API, whatever is in it,", () => {
  const node = {
    path: '/nodes/{node}',
    leaf: 0,
    info: {
      GET: {
        method: 'GET',
        name: 'index',
        parameters: { additionalProperties: 0, properties: { node: { type: 'string', format: 'pve-node' } } },
      },
    },
    children: [
      {
        path: '/nodes/{node}/lxc',
        info: {
          POST: {
            method: 'POST',
            parameters: { properties: { 'net[n]': { format: { bridge: { type: 'string', pattern: '[a-z]+' } } } } },
          },
        },
      },
    ],
  };
  const sources = [
    `const apiSchema = ${JSON.stringify([node])};\nlet x = 1;`,
    `var pveapi = ${JSON.stringify([node], null, 1)}\n;`,
  ];

  it('is read, or told as a failure', () =>
    expectSound(parseApidoc, sources, (methods) => {
      for (const { path, method } of methods) expect([typeof path, typeof method]).toEqual(['string', 'string']);
    }));

  it('is read in linear time', () =>
    expectLinear(parseApidoc, [
      (repeat) => `const apiSchema = [${repeat}];`,
      (repeat) => `const apiSchema = ${repeat}`,
    ]));

  it('is kept as JSON that is read again, or not at all', () =>
    expectSound(
      readMethods,
      ['[]', JSON.stringify([{ path: '/x', method: 'GET', parameters: {}, allowtoken: true }])],
      (methods) => {
        for (const one of methods ?? []) expect(one.path).toBeTypeOf('string');
      },
    ));

  it('cannot hold a value up by a pattern of its own', () => {
    for (const pattern of ['(a+)+$', '(a|a)*b', '(.*,)*x', '[', '(?{ die })', '\\p{L}+', '(?i)a']) {
      const rule = { type: 'string', pattern };
      const began = performance.now();
      wrongText('a'.repeat(35), rule);
      expect(performance.now() - began, pattern).toBeLessThan(1_500);
    }
  });
});
