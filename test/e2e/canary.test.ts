import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { figure, grouped } from '../figures.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';
import { allOf, Canary, spellings } from './canary.ts';
import { type Connected, connect } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
let client: Connected;
/** Everything that came out: answers, progress, what errors said. */
const seen: string[] = [];

const made = {
  SSH_PASSWORD: 'corr3ct horse+battery/staple="quoted"',
  SSH_SUDO_PASSWORD: "sudo's Passw0rd",
  SSH_KEY_PASSPHRASE: 'pässphräse ünïque',
  // Nobody takes what is posted there, so that it is tried again and again.
  MCP_WEBHOOK_URL: 'https://127.0.0.1:9/hooks/canary-of-the-url',
  MCP_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'canary').toString('base64')}`,
};
const inherited = { ANTHROPIC_API_KEY: 'sk-ant-canary-0123456789', AWS_SECRET_ACCESS_KEY: 'aws/canary+0123456789' };
let secrets: Record<string, string>;

const webhook = 'https://hooks.example/services/T00/B00/canary-webhook-path';
const KEY_LINE = 'b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0Canary';
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----\n${KEY_LINE}\n-----END OPENSSH PRIVATE KEY-----`;
/** Known at the end only: what seals the audit, and what tools made. */
const late: Record<string, string> = {};
const canary = new Canary(() => ({ ...secrets, ...inherited, webhook, 'private key': KEY_LINE, ...late }));
const leaksIn = (place: string, text: string): string[] => canary.leaksIn(place, text);

beforeAll(async () => {
  dc = await startDatacentre();
  secrets = { PROXMOX_TOKEN_VALUE: dc.api.token.value, ...made };
  // Everything in the datacentre that others write says every secret in every spelling.
  const everything = `${allOf(Object.values(secrets))} ${PEM}`;
  for (const guest of dc.world.guests) guest.config.description = everything;
  client = await connect(
    'v2-2026',
    await dc.launch({ MCP_MODE: 'trusted', MCP_TOOLSETS: 'full', MCP_TASK_WAIT_S: '2', ...made }, inherited),
  );
});
afterAll(async () => {
  await client.close();
  await dc.stop();
});

const echo = (): string => {
  const words = Object.values(secrets).flatMap(spellings);
  return words
    .map((word) => `echo '${word.replaceAll("'", "'\\''")}'; echo '${word.replaceAll("'", "'\\''")}' >&2`)
    .concat(`echo '${PEM}'; echo '${PEM}' >&2`)
    .join('\n');
};

/** Arguments with which a tool does its work, and arguments with which it fails, each of them full of secrets. */
function argumentsFor(name: string): Record<string, unknown>[] {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(name);
  const shape = Object.keys(tool.schema.shape);
  const values: Record<string, unknown> = { guest: 102, vmid: 102, target: 'pve1', script: echo() };
  const known = Object.fromEntries(shape.filter((key) => key in values).map((key) => [key, values[key]]));
  const made = fc.sample(inputsOf(tool, dc.world), { numRuns: 3, seed: 21 });
  const token = secrets.PROXMOX_TOKEN_VALUE ?? '';
  const failing = Object.fromEntries(shape.map((key) => [key, token]));
  return [...made.map((input) => ({ ...input, ...known })), failing, { ...known, [token]: 1 }];
}

describe('guarantee 21: no secret leaves', () => {
  it.each(tools.map(({ name }) => name))('%s: through its answer and its errors', async (name) => {
    for (const args of argumentsFor(name)) {
      const progress: string[] = [];
      const result = await client.call(name, args, { onProgress: (message) => progress.push(message) });
      const out = [result.text, JSON.stringify(result.facts), ...progress].join('\n');
      seen.push(out);
      expect(leaksIn(name, out)).toEqual([]);
    }
  });

  it('the commands did run and their output came, without the secrets', () => {
    expect(seen.join('\n')).toContain('[secret removed]');
  });

  const faults = {
    '401': { status: 401, reason: 'Authentication failed!' },
    '403': { status: 403, reason: 'Permission check failed (/vms/102, VM.Audit)' },
    '500': { status: 500, reason: 'oops' },
    '596': { status: 596, reason: 'Connection timed out' },
    reset: 'reset',
  } as const;
  it.each(Object.entries(faults))('when the API answers with %s', async (_, outage) => {
    dc.world.switches.outage = outage;
    for (const name of ['pve_overview', 'pve_guest_power', 'server_status']) {
      const result = await client.call(name, argumentsFor(name)[0]);
      expect(leaksIn(name, `${result.text}${JSON.stringify(result.facts)}`)).toEqual([]);
    }
    dc.world.switches.outage = undefined;
  });

  it('through the progress of a command that runs on', async () => {
    const progress: string[] = [];
    const options = { onProgress: (message: string) => progress.push(message) };
    for (const secret of Object.values(secrets)) {
      const line = `${secret}\u001b[2J`.replaceAll("'", "'\\''");
      const script = `printf '%s\\n' '${line}'; sleep 0.7; printf '%s\\n' '${line}'`;
      expect((await client.call('ssh_exec', { target: 'pve1', script }, options)).isError).toBe(false);
    }
    expect(progress.join('\n')).toContain('[secret removed]\\x1b[2J');
    expect(leaksIn('progress', progress.join('\n'))).toEqual([]);
  });

  it('of a webhook that is noted for a host, or a key that stands in a file', async () => {
    for (const args of [{ webhook }, { webhook: `${webhook}2` }, { note: PEM }]) {
      const result = await client.call('ssh_host_set', { host: 'pve1', ...args });
      seen.push(`${result.text}${JSON.stringify(result.facts)}`);
      expect(leaksIn('ssh_host_set', `${result.text}${JSON.stringify(result.facts)}`)).toEqual([]);
    }
  });

  it('that seals the audit, or that a tool made: in nothing of all that', async () => {
    const created = await client.call('pve_ct_create', { template: 'debian-13', name: 'canary' });
    seen.push(`${created.text}${JSON.stringify(created.facts)}`);
    const folder = join(dc.dir, 'outputs/secrets');
    for (const file of await readdir(folder))
      late[`made: ${file}`] = (await readFile(join(folder, file), 'utf8')).trim();
    const key = await readFile(join(dc.dir, '.local/state/proxmox-ssh-mcp-seals/key'));
    late['key of the audit'] = key.toString('hex');
    late['key of the audit, as text'] = key.toString('base64').replace(/=+$/, '');
    expect(Object.keys(late).length).toBeGreaterThan(2);
    expect(leaksIn('all answers', seen.join('\n'))).toEqual([]);
  });

  it('in stderr, the command line, and every file that was written', async () => {
    expect(leaksIn('stderr', client.stderr())).toEqual([]);
    expect(leaksIn('audit', await dc.audit())).toEqual([]);
    expect(leaksIn('argv', await readFile(`/proc/${client.pid}/cmdline`, 'utf8'))).toEqual([]);
    // All that was written, but for what the test put there, and the files that are there to hold a secret.
    const own =
      /^(env-\w+|hosts\.json|key|known_hosts|outputs\/secrets\/.*|\.local\/state\/proxmox-ssh-mcp-seals\/key)$/;
    const written = await readdir(dc.dir, { recursive: true, withFileTypes: true });
    for (const entry of written) {
      const file = join(entry.parentPath, entry.name);
      if (!entry.isFile() || own.test(relative(dc.dir, file))) continue;
      expect(leaksIn(relative(dc.dir, file), await readFile(file, 'utf8'))).toEqual([]);
    }
  });

  it('in the environment that a child process would be given', async () => {
    const children = await readFile(`/proc/${client.pid}/task/${client.pid}/children`, 'utf8');
    expect(children.trim()).toBe('');
    const kinds = Object.keys({ ...secrets, ...inherited, ...late }).length + 2;
    const spelt = `${kinds} secrets in ${spellings('').length} spellings`;
    figure(21, `${spelt} through ${tools.length} tools: none in ${grouped(seen.length)} answers and ${canary.seen}`);
  });
});
