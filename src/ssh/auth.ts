import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, AuthHandlerMiddleware, Prompt } from 'ssh2';
import { Failure } from '../failure.ts';
import { type AgentKey, agentKeys } from './agent.ts';
import type { HostSpec } from './client.ts';
import { hostKey } from './hostkey.ts';
import { openKeyFile } from './keyfile.ts';

/** One login to one host: its key file first, then the agent's keys, then the password. */
export interface Login {
  /** For ssh2; calls `exhausted` when nothing is left to try. */
  handler(exhausted: () => void): AuthHandlerMiddleware;
  /** What was tried and how to cure it; `words` are the server's own, when it hung up with some. */
  failure(words?: string): Failure;
}

/** sshd hangs up after 6 refusals (MaxAuthTries), so a full agent must not use them all up. */
const MAX_ATTEMPTS = 5;

const MOST_ASKED = 3;
const LONGEST_ASKED = 200;

interface Attempt {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive';
  /** How a failure tells of it; never a secret. */
  readonly label: string;
  readonly offer: AnyAuthMethod;
}

/** Collects what one login may use, before the host is talked to. A key file that cannot be used is `misconfigured`. */
export async function prepareLogin(host: HostSpec): Promise<Login> {
  const notes: string[] = [];
  const { byKey, blob } = await keyFileAttempts(host, notes);
  const asked: string[] = [];
  const byPassword = passwordAttempts(host, asked);
  const room = MAX_ATTEMPTS - byKey.length - byPassword.length;
  const byAgent = await agentAttempts(host, notes, room, byKey.length > 0 ? { offered: blob } : { wanted: blob });
  return login(host, [...byKey, ...byAgent, ...byPassword], notes, asked);
}

interface FromFile {
  readonly byKey: Attempt[];
  /** The public key of the file, as far as it can be told. */
  readonly blob?: Buffer;
}

async function keyFileAttempts({ keyPath, ...host }: HostSpec, notes: string[]): Promise<FromFile> {
  if (keyPath === undefined) return { byKey: [] };
  // ssh(1) takes the public key too, of a private key that only the agent has.
  if (keyPath.endsWith('.pub') && host.agent) return { byKey: [], blob: await publicKeyIn(keyPath) };
  const file = await openKeyFile(keyPath);
  if (file.encrypted && !host.keyPassphrase && host.agent) {
    notes.push(`key ${keyPath} is encrypted and has no passphrase set, so it was left to the agent`);
    return { byKey: [], blob: file.blob ?? (await publicKeyIn(`${keyPath}.pub`)) };
  }
  const key = await file.unlock(host.keyPassphrase);
  const blob = key.getPublicSSH();
  const { keyType, fingerprint } = hostKey(blob);
  const offer = { type: 'publickey' as const, username: host.user, key };
  return { byKey: [{ method: 'publickey', label: `key ${keyPath} (${keyType} ${fingerprint})`, offer }], blob };
}

/** The key of a line `TYPE BASE64 COMMENT`; undefined when there is none to be read. */
async function publicKeyIn(path: string): Promise<Buffer | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const encoded = /^\s*\S+ (AAAA\S+)/.exec(text)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

/** Of the key file's key: it was offered already, or the agent is wanted to have it. */
interface Known {
  readonly offered?: Buffer;
  readonly wanted?: Buffer;
}

async function agentAttempts(host: HostSpec, notes: string[], room: number, known: Known): Promise<Attempt[]> {
  if (host.agent === undefined) return [];
  let keys: AgentKey[];
  try {
    keys = await agentKeys(host.agent);
  } catch (error) {
    notes.push(`the agent at ${host.agent} gave no keys (${(error as Error).message})`);
    return [];
  }
  const chosen = chooseOf(keys, known, host.identitiesOnly === true);
  const only = host.identitiesOnly ? `, of which IdentitiesOnly leaves ${chosen.length}` : '';
  const more = chosen.length > room ? `, of which the first ${room} are tried` : '';
  notes.push(`the agent holds ${keys.length} usable keys${only}${more}`);
  return chosen.slice(0, room).map(({ key, offer }) => {
    const { keyType, fingerprint } = hostKey(key.getPublicSSH());
    return { method: 'publickey', label: `agent key ${keyType} ${fingerprint}`, offer: offer(host.user) };
  });
}

/** The agent's keys in the order in which they are worth an attempt: that of the key file first, or it alone. */
function chooseOf(keys: readonly AgentKey[], { offered, wanted }: Known, identitiesOnly: boolean): AgentKey[] {
  const is = (blob: Buffer | undefined) => (one: AgentKey) => blob?.equals(one.key.getPublicSSH()) === true;
  const fresh = keys.filter((one) => !is(offered)(one));
  const first = fresh.filter(is(wanted));
  return identitiesOnly ? first : [...first, ...fresh.filter((one) => !is(wanted)(one))];
}

function passwordAttempts(host: HostSpec, asked: string[]): Attempt[] {
  const { password, user: username } = host;
  if (!password) return [];
  let answered = false;
  const prompt = (_n: string, _i: string, _l: string, prompts: Prompt[], finish: (answers: string[]) => void) => {
    const [only] = prompts;
    if (!answered && prompts.length === 1 && only && !only.echo && /passwor[dt]|mot de passe/i.test(only.prompt)) {
      answered = true;
      return finish([password.reveal()]);
    }
    const texts = prompts.map(({ prompt: text }) => text.trim()).join('", "');
    // It may ask again and again, as long as the login may take.
    if (asked.length < MOST_ASKED) asked.push(texts.slice(0, LONGEST_ASKED));
    finish(prompts.map(() => ''));
  };
  return [
    { method: 'password', label: 'the password', offer: { type: 'password', username, password: password.reveal() } },
    {
      method: 'keyboard-interactive',
      label: 'the password by keyboard-interactive',
      offer: { type: 'keyboard-interactive', username, prompt },
    },
  ];
}

function login(
  host: HostSpec,
  attempts: readonly Attempt[],
  notes: readonly string[],
  asked: readonly string[],
): Login {
  const tried: string[] = [];
  let methods: readonly string[] = [];
  return {
    handler(exhausted) {
      let left = attempts;
      let greeted = false;
      return (offered, _partial, next) => {
        // "none" logs nobody in; its refusal is how a server tells its methods (RFC 4252, 5.2).
        if (!greeted) {
          greeted = true;
          return next({ type: 'none', username: host.user });
        }
        methods = offered ?? [];
        const attempt = left.find(({ method }) => methods.includes(method));
        if (!attempt) return exhausted();
        // A refused password would be refused again, and count twice where refusals are counted.
        const spent = (other: Attempt) => attempt.method === 'password' && other.method === 'keyboard-interactive';
        left = left.filter((other) => other !== attempt && !spent(other));
        tried.push(attempt.label);
        return next(attempt.offer);
      };
    },
    failure(words) {
      const place = `${host.user}@${host.address}:${host.port}`;
      const attempted = tried.length > 0 ? `Refused: ${tried.join(', ')}.` : 'Nothing that it takes could be tried.';
      const takes = methods.length > 0 ? ` The server takes ${methods.join(', ')}.` : '';
      const theirs = [...(words ? [`said "${words}"`] : []), ...asked.map((text) => `asked "${text}"`)];
      const also = [...theirs.map((text) => `the server ${text}`), ...notes].map((note) => ` Note: ${note}.`);
      const text = `${host.name} did not let ${place} log in. ${attempted}${takes}${also.join('')}`;
      return new Failure('authentication', text, cure(host, tried.length > 0), { said: [words ?? [], asked].flat() });
    },
  };
}

function cure(host: HostSpec, tried: boolean): string {
  const key = host.keyPath === undefined ? '' : ` -i '${host.keyPath}'`;
  const hops = host.via?.map(({ user, address, port }) => `${user}@${address}:${port}`) ?? [];
  const jump = hops.length > 0 ? ` -o ProxyJump=${hops.join(',')}` : '';
  const copy = `ssh-copy-id${key}${jump} -p ${host.port} ${host.user}@${host.address}`;
  const check = host.password ? 'the user name and the password' : 'the user name';
  if (tried) return `Check ${check}, or put the public key on the host: ${copy}`;
  return `Configure a key file, an agent or a password that the server takes; a key is put on the host by: ${copy}`;
}
