import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reply } from '../../src/ssh/files/reply.ts';
import { readAnswer } from '../../src/ssh/hunt.ts';
import { parseJobId } from '../../src/ssh/job-id.ts';
import { listReply, readReply } from '../../src/ssh/job-reply.ts';
import { isAbout, knownName, parseKnownHosts } from '../../src/ssh/knownhosts.ts';
import { type Mark, MarkReader } from '../../src/ssh/marks.ts';
import { MarkedStream } from '../../src/ssh/session-stream.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { newMarks } from '../../src/ssh/wrap.ts';
import { expectLinear, expectSound } from '../hostile.ts';

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIHZ5dGhpc2lzbm90YXJlYWxrZXlidXRpdHdpbGxkbzE=';
const knownHosts = [
  `pve1,10.1.2.3 ssh-ed25519 ${KEY} root@pve1\n# a comment\n\n@revoked * ssh-ed25519 ${KEY}\n`,
  `|1|c2FsdHNhbHRzYWx0c2FsdHM=|aGFzaGhhc2hoYXNoaGFzaGg= ssh-ed25519 ${KEY}\n@cert-authority *.lab ssh-ed25519 ${KEY}\n`,
  `[pve?.lab]:2222,!pve9.lab ssh-ed25519 ${KEY}`,
];
const name = knownName({ address: 'pve1.lab.example.org', port: 22 });

describe('known_hosts, whatever is in it,', () => {
  const parse = (text: string) => parseKnownHosts(text, 'known_hosts').map((key) => [key, isAbout(key, name)] as const);

  it('is read, each line on its own', () =>
    expectSound(parse, knownHosts, (keys, text) => {
      const rows = text.split('\n');
      for (const [{ line, keyType, blob, patterns }] of keys) {
        expect(rows[line - 1]).toContain(keyType);
        expect(blob.toString('latin1', 4, 4 + blob.readUInt32BE(0))).toBe(keyType);
        expect(patterns.length).toBeGreaterThan(0);
      }
    }));

  it('is read in linear time, long patterns included', () => {
    expectLinear(parse, [
      (repeat) => `${repeat.replace(/\s/g, '')} ssh-ed25519 ${KEY}`,
      (repeat) => `a ssh-ed25519 ${repeat}`,
    ]);
  });
});

it('targets and ids of jobs are read in linear time, or refused', () => {
  for (const parse of [parseTarget, parseJobId]) {
    expectLinear(parse, [
      (repeat) => `j8k2m4q@${repeat}`,
      (repeat) => `j8k2m4q+${repeat}@pve1`,
      (repeat) => `ct/${repeat}`,
    ]);
  }
  expectSound(parseTarget, ['pve1', 'ct/400', 'vm/101', 'lxc/101', 'a.b-c_d'], (target, text) => {
    if (target.kind === 'host') expect(target.name).toBe(text);
    else expect(text.endsWith(`/${target.vmid}`) && target.vmid >= 100).toBe(true);
  });
  expectSound(parseJobId, ['j8k2m4q@pve1', 'j8k2m4q+root@ct/400'], ({ text }) => {
    expect(parseJobId(text).text).toBe(text);
  });
});

describe('the answers of our scripts, whatever a host makes of them,', () => {
  const read = [
    'Last login: today\npsm-j8k2m4q ended 0 1700000100 1700000000 3 2 0 0 base64\nYWJj\npsm-j8k2m4q err\nZGU=\npsm-j8k2m4q end\n',
    'psm-j8k2m4q running - - 1700000000 0 0 0 0 hex\npsm-j8k2m4q err\npsm-j8k2m4q end\n',
    'psm-j8k2m4q missing\n',
  ];
  const list = ['psm-job j8k2m4q ended 0 1700000100 1700000000 3 2 ZWNobyBoaQ==\npsm-job end\n', 'psm-job end\n'];

  it('of a job are read or refused', () => {
    expectSound(
      (text) => readReply(text, 'j8k2m4q'),
      read,
      (seen) => {
        for (const size of Object.values(seen?.sizes ?? {})) expect(size).toBeGreaterThanOrEqual(0);
      },
    );
    expectSound(listReply, list, (jobs) => {
      for (const job of jobs) expect(job.name).toMatch(/^j[a-z0-9]{6}$/);
    });
    expectLinear(
      (text) => readReply(text, 'j8k2m4q'),
      [
        (repeat) => `psm-j8k2m4q running ${repeat}\npsm-j8k2m4q end`,
        (repeat) => `psm-j8k2m4q running - - 1 0 0 0 0 hex\n${repeat}\npsm-j8k2m4q end`,
        () => 'psm-j8k2m4q running\n'.repeat(5_000),
      ],
    );
    expectLinear(listReply, [(repeat) => `psm-job ${repeat}\npsm-job end`], { texts: [`${list[0]}`.repeat(2_000)] });
  });

  it('of a look at processes are read', () => {
    expectSound(readAnswer, ['proc 12 13|12.5 s13', 'group|', 'blind'], ({ look }) => {
      expect(['proc', 'group']).toContain(look.by);
    });
    expectLinear(readAnswer);
  });

  it('of files are read, however they are cut', () => {
    const valid = Buffer.from('motd\0psm\0sum=abc\0stat=f 644\0\0the body\0 of it\n');
    fc.assert(
      fc.property(fc.array(fc.nat(valid.length), { maxLength: 8 }), fc.uint8Array({ maxLength: 20 }), (cuts, noise) => {
        const reply = new Reply();
        const bytes = Buffer.concat([Buffer.from(noise).filter((byte) => byte !== 0), valid]);
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        for (const [i, at] of places.slice(0, -1).entries()) void reply.take(bytes.subarray(at, places[i + 1]));
        expect([reply.complete, reply.field('sum'), reply.field('stat')]).toEqual([true, 'abc', 'f 644']);
        expect(reply.body.toString()).toBe('the body\0 of it\n');
      }),
      { numRuns: 1_000 },
    );
    const parse = (text: string) => {
      const reply = new Reply();
      for (let at = 0; at < text.length; at += 4_096) void reply.take(Buffer.from(text.slice(at, at + 4_096)));
      return reply;
    };
    expectSound(parse, [valid.toString()], ({ field, complete }) => expect([field.name, complete]).toBeDefined());
    expectLinear(parse, [(repeat) => `\0psm\0${repeat}\0\0`, (repeat) => `\0psm\0\0${repeat}`]);
  });
});

describe('marks in a stream, however it is cut,', () => {
  const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
    const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
    return places.slice(0, -1).map((at, i) => bytes.subarray(at, places[i + 1]));
  };
  const noise = fc.string({ unit: 'binary', maxLength: 30 });
  const cuts = fc.array(fc.nat(300), { maxLength: 12 });

  it('of a command are heard, and every other byte is passed on', () => {
    fc.assert(
      fc.property(
        noise,
        noise,
        noise,
        fc.boolean(),
        fc.nat(99_999),
        cuts,
        (before, between, after, sudo, pid, where) => {
          const marks = newMarks();
          const heard: Mark[] = [];
          const passed: Buffer[] = [];
          const reader = new MarkReader(
            marks,
            sudo,
            (mark) => heard.push(mark),
            (bytes) => passed.push(Buffer.from(bytes)),
          );
          const asked = sudo ? `${between}${marks.prompt}` : '';
          const text = `${before}${asked}${marks.mark} up ${pid}\n${between}${marks.mark} at ${pid}\n${after}${marks.mark} at 1\n`;
          for (const piece of cut(Buffer.from(text), where)) reader.feed(piece);
          reader.flush();
          const prompt: Mark[] = sudo ? [{ kind: 'prompt' }] : [];
          expect(heard).toEqual([...prompt, { kind: 'up', pid }, { kind: 'at', pid }]);
          const rest = `${before}${sudo ? between : ''}${between}${after}${marks.mark} at 1\n`;
          expect(Buffer.concat(passed).equals(Buffer.from(rest))).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('of a session are heard in their order, and every other byte is passed on', () => {
    const word = '0123456789abcdef0123456789abcdef';
    fc.assert(
      fc.property(
        noise,
        noise,
        fc.string({ maxLength: 20 }).filter((text) => !text.includes(']')),
        cuts,
        (a, b, said, where) => {
          const passed: Buffer[] = [];
          const heard: string[] = [];
          const stream = new MarkedStream((piece) => void passed.push(Buffer.from(piece)));
          stream.await(word, (text) => heard.push(text));
          // The beginning of a mark that is none is passed on too.
          for (const piece of cut(Buffer.from(`${a}${word.slice(0, 9)}${word}[${said}]${word}${b}`), where))
            void stream.feed(piece);
          stream.flush();
          expect(heard).toEqual([said]);
          expect(Buffer.concat(passed).toString()).toBe(Buffer.from(`${a}${word.slice(0, 9)}${b}`).toString());
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('are looked for in linear time', () => {
    const marks = newMarks();
    const inPieces = (take: (piece: Buffer) => void) => (text: string) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 1_000) take(bytes.subarray(at, at + 1_000));
    };
    expectLinear(
      (text) => {
        const reader = new MarkReader(
          marks,
          true,
          () => {},
          () => {},
        );
        inPieces((piece) => reader.feed(piece))(text);
      },
      [],
      { texts: [marks.mark.repeat(3_000), `${marks.mark} `.repeat(3_000)] },
    );
    expectLinear(
      (text) => {
        const stream = new MarkedStream(() => {});
        stream.await('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', () => {});
        inPieces((piece) => void stream.feed(piece))(text);
      },
      [],
      { texts: ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.repeat(3_000)] },
    );
  });
});
