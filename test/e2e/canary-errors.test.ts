import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AuthContext, ServerChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAudit } from '../../src/gate/audit.ts';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { createGate, type Gate, type Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { createPresent } from '../../src/present/present.ts';
import { createRedaction } from '../../src/present/redact.ts';
import { keepSecretsIn } from '../../src/present/secrets.ts';
import { keepOutputsIn } from '../../src/present/spool.ts';
import { methodsOf, parseApidoc } from '../../src/pve/apidoc.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import type { ApiSchema } from '../../src/pve/schema.ts';
import { Secret } from '../../src/secret.ts';
import { Jobs } from '../../src/ssh/jobs.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { KnownHost, Setup, Shell, Tool } from '../../src/toolsets/tool.ts';
import { type Malice, startHostileSshd } from '../attack/sshd.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { answer, type Behaviour, garbage, identity, reset, TlsRig } from '../rig/tls.ts';
import { type Bench, setup, shellOn, startBench } from '../toolsets/harness.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';
import { allOf, Canary } from './canary.ts';

/** So many requests of a call are answered well before one is not. */
const REQUESTS_ANSWERED_BEFORE = counted(4, 2);
/** What a call may take: some inputs wait for what never comes. */
const PATIENCE_MS = 400;

const held = {
  SSH_PASSWORD: 'corr3ct horse+battery/staple="quoted"',
  SSH_SUDO_PASSWORD: "sudo's Passw0rd",
  SSH_KEY_PASSPHRASE: 'pässphräse ünïque',
};
const webhook = 'https://hooks.example/services/T00/B00/canary-webhook-path';

let bench: Bench;
let folder: string;
let schema: ApiSchema;
let token: string;
/** Made by tools meanwhile. */
const made: string[] = [];
const canary = new Canary(() => ({
  token,
  ...held,
  webhook,
  ...Object.fromEntries(made.map((secret, i) => [`password ${i}`, secret])),
  'private key': KEY_LINE,
}));
const redaction = createRedaction([]);
const leaks: string[] = [];
let calls = 0;

const KEY_LINE = 'b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0Canary';
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----\n${KEY_LINE}\n-----END OPENSSH PRIVATE KEY-----`;
const everything = (): string => `${allOf([token, ...Object.values(held), ...made])} ${PEM}`;

beforeAll(async () => {
  bench = await startBench();
  folder = await mkdtemp(join(tmpdir(), 'psm-canary-'));
  token = bench.world.access.tokens.find(({ tokenid }) => tokenid === 'mcp')?.value ?? '';
  for (const secret of [token, ...Object.values(held)]) redaction.hold(new Secret(secret));
  schema = { version: '9.2.11', methods: methodsOf(parseApidoc(await bench.as('root@pam!mcp').apidoc())) };
});
afterAll(async () => {
  await bench.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that a call leaves: answer, progress, question, audit. */
async function gateOver(
  name: string,
  pve: Pve,
  ssh?: Shell,
): Promise<{ gate: Gate; audit: string; close(): Promise<void> }> {
  const file = join(folder, `${name.replace(/\W+/g, '-')}.jsonl`);
  const audit = createAudit({ file, headFolder: join(folder, 'heads'), redact: redaction.redact });
  const keepSecret = keepSecretsIn(join(folder, 'secrets'), (secret) => {
    made.push(secret.reveal());
    redaction.hold(secret);
  });
  const chosen: Setup = { ...setup, mode: 'ask', toolsets: ['full'], taskWaitMs: 100, commandTimeoutMs: 300 };
  const gate = createGate({
    registry: createRegistry(tools, chosen),
    audit,
    setup: chosen,
    confirmation: createConfirmation(60_000, redaction.redact),
    context: (signal, progress) => ({
      ...bench.context({ pve, schema: async () => schema, signal, progress, keepSecret, setup: chosen }),
      ...(ssh && { ssh }),
    }),
  });
  return { gate, audit: file, close: () => audit.close() };
}

const present = createPresent({
  redact: redaction.redact,
  budget: 20_000,
  save: async () => undefined,
});

async function look(place: string, outcome: Outcome, progress: readonly string[]): Promise<void> {
  calls += 1;
  const texts = [...progress];
  if (outcome.kind === 'question') texts.push(outcome.question.message, JSON.stringify(outcome.question.ticket));
  else {
    const { text, structured } = await (outcome.kind === 'answer'
      ? present.answer(outcome.answer)
      : present.failure(outcome.failure));
    texts.push(text, JSON.stringify(structured));
  }
  for (const text of texts) leaks.push(...canary.leaksIn(place, text));
}

type Answered = 'yes' | 'no' | 'cancel' | 'given up';

/** Calls a tool, and answers its question so. */
async function call(gate: Gate, place: string, tool: string, args: unknown, said: Answered = 'yes'): Promise<void> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const told: string[] = [];
  const progress = (message: string) => void told.push(present.line(message));
  const one = { tool, args, client: 'canary 1', canAsk: true, signal, progress };
  const first = await gate(one);
  await look(place, first, told);
  if (first.kind !== 'question') return;
  if (said === 'given up') setTimeout(() => giveUp.abort(), 20);
  const action = said === 'no' ? 'decline' : said === 'cancel' ? 'cancel' : 'accept';
  const reply = { action, confirmed: action === 'accept', ticket: first.question.ticket } as const;
  await look(place, await gate({ ...one, reply }), told);
}

/** Inputs that the tool takes, made from its own schema, and one of secrets that it may not take. */
function argumentsFor(tool: Tool, runs = 1, target?: string): unknown[] {
  const shape = Object.keys(tool.schema.shape);
  const known: Record<string, unknown> = {
    guest: 102,
    vmid: 101,
    script: 'true',
    ...(target && { target, host: target }),
  };
  const own = Object.fromEntries(shape.filter((key) => key in known).map((key) => [key, known[key]]));
  const samples = fc.sample(inputsOf(tool, bench.world), { numRuns: runs, seed: 21 });
  return samples.map((input) => ({ ...input, ...own, ...('wait_s' in input && { wait_s: 0 }) }));
}

/** Passes a request on to the demo's API, and its answer back. */
function passOn(...[socket, { method, target, headers, body }, raw]: Parameters<Behaviour>): void {
  const to = { host: '127.0.0.1', port: bench.apiAddress.port, rejectUnauthorized: false };
  const sent = httpsRequest({ ...to, method, path: target, headers }, (got) => {
    const pieces: Buffer[] = [];
    got.on('data', (piece: Buffer) => pieces.push(piece));
    got.on('end', () => {
      const encoding = got.headers['content-encoding'];
      const header = encoding ? `Content-Encoding: ${encoding}\r\n` : '';
      const pass = answer(got.statusCode ?? 500, got.statusMessage ?? '', Buffer.concat(pieces), header);
      pass(socket, { method, target, headers, body }, raw);
    });
  });
  sent.on('error', () => socket.destroy());
  sent.end(body);
}

const latin = (text: string): string =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[\r\n]+/g, ' ');

/** An answer of that status that says all secrets in its reason, its headers and its body. */
const saying = (status: number): Behaviour => {
  const said = everything();
  const body = JSON.stringify({ data: { [said]: said }, message: `${said}\n`, errors: { vmid: said } });
  const headers = `Server: ${latin(said)}\r\nWWW-Authenticate: ${latin(said)}\r\nLocation: https://127.0.0.1/?${encodeURIComponent(token)}\r\n`;
  return answer(status, latin(said), body, headers);
};

const failures: Readonly<Record<string, () => Behaviour>> = {
  ...Object.fromEntries(
    [302, 400, 401, 403, 404, 500, 595, 596].map((status) => [String(status), () => saying(status)]),
  ),
  'no JSON': () => answer(200, 'OK', everything()),
  'another JSON': () =>
    answer(200, 'OK', JSON.stringify({ data: [{ type: 1, vmid: everything(), [everything()]: {} }] })),
  reset: () => reset,
  garbage:
    () =>
    (socket, ...rest) => {
      socket.write(everything());
      garbage(socket, ...rest);
    },
};

/** Calls all tools of SSH at once on those hosts. */
async function tryOver(way: string, knownHosts: string, known: readonly KnownHost[]): Promise<void> {
  const keep = keepOutputsIn(join(folder, 'outputs'), redaction);
  const ssh = createSsh(createPool({ knownHosts: [knownHosts], ownKnownHosts: join(folder, 'own') }), keep);
  const { gate, audit, close } = await gateOver(way, bench.as('root@pam!mcp'), shellOn(ssh, known, new Jobs({ keep })));
  const calls = tools
    .filter(({ toolset }) => toolset === 'ssh')
    .flatMap((tool) => argumentsFor(tool, 1, 'odd').map((args) => call(gate, `${tool.name}, ${way}`, tool.name, args)));
  await Promise.all(calls);
  await close();
  leaks.push(...canary.leaksIn(`audit of ${way}`, await readFile(audit, 'utf8')));
  await ssh.close();
}

describe('guarantee 21: no secret leaves by what goes wrong', () => {
  it('when the arguments are wrong, the human says no or nothing, or the call is given up', {
    timeout: 60_000,
  }, async () => {
    const pve = bench.as('root@pam!mcp');
    const { gate, audit, close } = await gateOver('answers', pve);
    for (const tool of tools) {
      const shape = Object.keys(tool.schema.shape);
      const secrets = [token, ...Object.values(held), PEM];
      for (const [i, secret] of secrets.entries()) {
        await call(gate, `${tool.name}, wrong`, tool.name, Object.fromEntries(shape.map((key) => [key, secret])));
        await call(gate, `${tool.name}, unknown`, tool.name, { [secret]: i, [`x${secret}`]: secret });
      }
      for (const args of argumentsFor(tool)) {
        for (const said of ['no', 'cancel', 'given up'] as const)
          await call(gate, `${tool.name}, ${said}`, tool.name, args, said);
      }
    }
    // Passwords that are made, so that they are looked for in all that follows.
    await call(gate, 'pve_ct_create', 'pve_ct_create', { template: 'debian-13', name: 'kept' });
    await call(gate, 'pve_guest_clone', 'pve_guest_clone', { guest: 9000, name: 'kept2', password: true });
    await call(gate, 'webhook', 'ssh_host_set', { host: 'pve1', webhook });
    await call(gate, 'no tool', `pve_${token}`, {});
    await close();
    leaks.push(...canary.leaksIn('audit', await readFile(audit, 'utf8')));
    expect(leaks).toEqual([]);
  });

  it('with the API, at the first request of a call or at a later one', { timeout: 240_000 }, async () => {
    const own = await identity();
    await Promise.all(
      Object.entries(failures).flatMap(([name, failing]) =>
        Array.from({ length: /^(302|400)$/.test(name) ? 1 : REQUESTS_ANSWERED_BEFORE }, async (_, good) => {
          const rig = await TlsRig.start(own);
          let left = 0;
          rig.behave = (socket, request, raw) => {
            left -= 1;
            if (left >= 0) passOn(socket, request, raw);
            else failing()(socket, request, raw);
          };
          const trusted = { host: '127.0.0.1', port: rig.port, timeoutMs: 400, ca: own.cert };
          const pve = createPve({ ...trusted, token: { id: 'root@pam!mcp', secret: new Secret(token) } });
          const { gate, audit, close } = await gateOver(`${name}-${good}`, pve);
          for (const tool of tools) {
            left = good * 2;
            for (const args of argumentsFor(tool)) await call(gate, `${tool.name}, ${name}`, tool.name, args);
          }
          await close();
          leaks.push(...canary.leaksIn(`audit of ${name}`, await readFile(audit, 'utf8')));
          await pve.close();
          await rig.stop();
        }),
      ),
    );
    expect(leaks).toEqual([]);
  });

  it('with SSH: refused, not let in, lost, out of time, or answered by anything', { timeout: 120_000 }, async () => {
    const said = () => `${everything()}\n`;
    const ask = (context: AuthContext): void => {
      const no = (): void => {
        context.reject(['keyboard-interactive']);
      };
      if (context.method === 'keyboard-interactive') context.prompt([{ prompt: said(), echo: true }], said(), no);
      else no();
    };
    const lose = (channel: ServerChannel, ms: number): void => {
      setTimeout(() => {
        (channel as unknown as { _client: { end(): void } })._client.end();
      }, ms);
    };
    const ways: Readonly<Record<string, Malice>> = {
      'not let in': { login: ask, banner: said() },
      'no session': {
        banner: said(),
        session(reject) {
          reject();
        },
      },
      'never begins': {
        exec: (channel: ServerChannel) => {
          channel.write(said());
          channel.stderr.write(said());
          channel.exit(1);
          channel.end();
        },
      },
      'answers anything': {
        exec: (channel: ServerChannel, mark: string) => {
          channel.stderr.write(`${mark} at 1\n${said()}`);
          channel.write(`\0psm\0no=${said()}\0said=${said()}\0stat=${said()}\0real=${said()}\0\0${said()}`);
          channel.exit('KILL', true, said());
          channel.end();
        },
      },
      'lost in mid-command': {
        exec: (channel: ServerChannel, mark: string) => {
          channel.stderr.write(`${mark} at 1\n${said()}`);
          channel.write(said());
          lose(channel, 5);
        },
      },
      'out of time': {
        exec: (channel: ServerChannel, mark: string) => {
          channel.stderr.write(`${mark} at 1\n${said()}`);
          channel.write(said());
          // So that it need not be waited until what is to end the command is given up too.
          lose(channel, PATIENCE_MS * 2);
        },
      },
    };
    await Promise.all(
      Object.entries(ways).map(async ([name, malice]) => {
        const server = await startHostileSshd(malice);
        const secrets = { password: new Secret(held.SSH_PASSWORD), sudoPassword: new Secret(held.SSH_SUDO_PASSWORD) };
        const known: KnownHost[] = ['odd', 'pve1', 'pve2'].map((host) => ({
          spec: { ...server.host, name: host, ...secrets },
          source: 'node',
          webhook,
        }));
        await tryOver(name, server.knownHosts, known);
        await server.stop();
      }),
    );
    expect(leaks).toEqual([]);
  });

  it('in what is kept on the disk, but for the files that hold the passwords which were made', async () => {
    for (const file of await readdir(join(folder, 'outputs')).catch(() => []))
      leaks.push(...canary.leaksIn(file, await readFile(join(folder, 'outputs', file), 'utf8')));
    expect(leaks).toEqual([]);
    expect(made.length).toBeGreaterThan(0);
    // What is looked for would be found.
    await writeFile(join(folder, 'x'), held.SSH_PASSWORD);
    expect(canary.leaksIn('x', await readFile(join(folder, 'x'), 'utf8'))).toHaveLength(2);
    figure(21, `${grouped(calls)} calls of ${tools.length} tools that went wrong: no secret in ${canary.seen}`);
  });
});
