import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { asFailure, Failure } from '../../failure.ts';
import { Secret } from '../../secret.ts';
import { type Access, type Made, majorVersion, makeToken, type TokenWish, tokenExists } from '../../setup/apitoken.ts';
import { changeRecord, readRecord } from '../../setup/record.ts';
import type { AsRoot } from '../../setup/root.ts';
import type { Ssh } from '../../ssh/client.ts';
import { quote } from '../../ssh/quote.ts';
import { operatorPrivileges } from '../../toolsets/pve/access-needs.ts';
import { oldToken } from './old.ts';
import { type Stage, serverOf } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';

const OPERATOR_ROLE = 'ProxmoxSshMcp';
const COMMAND_MS = 60_000;
const DAY_S = 86_400;

/** Programs of the server as root, by sudo where the login is another. */
export const asRootOf =
  (stage: Stage, ssh: Ssh): AsRoot =>
  async (argv) => {
    const command = { script: argv.map(quote).join(' '), sudo: stage.draft.sshUser !== 'root', timeoutMs: COMMAND_MS };
    const { exitCode, stdout, stderr } = await ssh.run(serverOf(stage), command);
    return { code: exitCode, stdout: stdout.text, stderr: stderr.text };
  };

/** Step: an API token, made over SSH or given. */
export async function getToken(stage: Stage, ssh: Ssh): Promise<void> {
  const { ask, answers, draft, loaded } = stage;
  try {
    if (typeof answers.tokenFile === 'string') return giveToken(stage, fromFile(answers.tokenFile));
    if (loaded.token && (await keepOld(stage))) return;
    const make = {
      value: 'make' as const,
      label: `Make one on ${draft.host}, over SSH`,
      hint: 'with its own user, and no more rights than you choose',
    };
    const old = oldToken(stage);
    const take = { value: 'take' as const, label: `Take over ${old?.id}`, hint: 'the one that the other server has' };
    const type = {
      value: 'type' as const,
      label: 'Type one in',
      hint: 'made in the web interface',
    };
    const how = await ask.choose({
      flag: 'token-from',
      question: 'Where is the API token to come from?',
      options: [...(draft.loginWorks ? [make] : []), ...(old ? [take] : []), type],
      initial: draft.loginWorks ? ('make' as const) : old ? ('take' as const) : ('type' as const),
    });
    if (how === 'take') draft.token = old;
    else if (how === 'make') await makeOne(stage, asRootOf(stage, ssh));
    else {
      note('It is made in the web interface: Datacenter, Permissions, API Tokens. Its id is USER@REALM!NAME.');
      await giveToken(stage, () => ask.secret('Its secret (it is not shown)'));
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === 'cancelled') throw failure;
    trouble(failure.message, failure.hint);
  }
}

async function keepOld({ ask, answers, loaded, draft }: Stage): Promise<boolean> {
  const id = loaded.token?.id ?? '';
  if (answers.tokenName !== undefined || answers.access !== undefined) return false;
  const keep = await ask.choose({
    flag: 'token-from',
    question: `The token ${id} is set up already.`,
    options: [
      { value: 'keep' as const, label: 'Keep it' },
      { value: 'other' as const, label: 'Use another one' },
    ],
    initial: 'keep' as const,
  });
  if (keep === 'keep') draft.token = loaded.token;
  return keep === 'keep';
}

function fromFile(file: string): () => Promise<Secret> {
  return async () => {
    try {
      return new Secret(readFileSync(file === '-' ? 0 : file, 'utf8').trim());
    } catch (cause) {
      throw new Failure(
        'misconfigured',
        `${file} cannot be read: ${(cause as Error).message}`,
        'Name a file with the secret.',
      );
    }
  };
}

const NAME = /^[A-Za-z][\w.-]+$/;
const USER = /^[^\s:/@!]+@[A-Za-z][\w.-]+$/;

const askUser = ({ ask }: Stage): Promise<string> =>
  ask.text({
    flag: 'token-user',
    question: 'User of the token (user@realm)',
    initial: 'mcp@pve',
    check: (user) => (USER.test(user) ? undefined : 'It must be user@realm.'),
  });

const askName = ({ ask }: Stage): Promise<string> =>
  ask.text({
    flag: 'token-name',
    question: 'Name of the token',
    initial: 'claude',
    check: (name) => (NAME.test(name) ? undefined : 'It begins with a letter, then letters, digits, . _ or -.'),
  });

async function giveToken(stage: Stage, secretOf: () => Promise<Secret>): Promise<void> {
  const user = await askUser(stage);
  const name = await askName(stage);
  const secret = await secretOf();
  if (secret.reveal() === '') throw new Failure('invalid-input', 'The secret is empty.', 'Give it again.');
  stage.draft.token = { id: `${user}!${name}`, secret };
  done(`The token ${user}!${name} will be used.`);
}

const accessLevels: readonly { value: Access; label: string; hint: string }[] = [
  { value: 'operator', label: 'Operator', hint: `what the tools need and no more: the role ${OPERATOR_ROLE}` },
  { value: 'read-only', label: 'Look only', hint: 'the role PVEAuditor' },
  { value: 'full', label: 'Everything', hint: 'the role Administrator' },
];

async function makeOne(stage: Stage, run: AsRoot): Promise<void> {
  const { ask, draft } = stage;
  const access = await ask.choose({
    flag: 'access',
    question: 'What may it do?',
    options: accessLevels,
    initial: 'operator',
  });
  const user = await askUser(stage);
  const name = await freeName(stage, run, user);
  const days = daysOf(stage);
  const role = roleOf(access, await during('Asking for the version', majorVersion(run)));
  const root = user === 'root@pam' ? ', with all rights of root' : `, with the role ${role.id} on /`;
  note(`On ${draft.host}: the token ${user}!${name}${root}${days > 0 ? `, for ${days} days` : ''}.`);
  if (!(await ask.agree('Make it?'))) return trouble('No token was made.', 'The tools of the API will say so.');
  const expire = days > 0 ? Math.floor(Date.now() / 1000) + days * DAY_S : undefined;
  const wish = { user, name, role, expire };
  draft.token = await during('Making the token', makeToken(run, wish, remembering(stage, wish)));
  done(`Made the token ${draft.token.id}. Its secret is not shown.`);
}

function daysOf({ answers }: Stage): number {
  const days = Number(answers.tokenDays ?? 0);
  if (Number.isInteger(days) && days >= 0) return days;
  throw new Failure('invalid-input', '--token-days takes a number of whole days.', 'Correct it.');
}

const roleOf = (access: Access, major: number): TokenWish['role'] =>
  ({
    'read-only': { id: 'PVEAuditor' },
    operator: { id: OPERATOR_ROLE, privileges: operatorPrivileges(major) },
    full: { id: 'Administrator' },
  })[access];

/** Notes what is about to be there for one token, beside what an earlier one of that name may have left. */
function remembering({ draft, recordFile }: Stage, { user, name }: TokenWish): (made: readonly Made[]) => void {
  const server = { host: draft.host, port: draft.sshPort, user: draft.sshUser, keyPath: draft.keyPath };
  const token = `${user}!${name}`;
  const before = readRecord(recordFile).tokens.find((one) => one.token === token)?.made ?? [];
  return (made) =>
    changeRecord(recordFile, ({ tokens }) => {
      const others = tokens.filter((one) => one.token !== token);
      const all = [...before.filter((old) => !made.some((one) => isDeepStrictEqual(one, old))), ...made];
      return { tokens: all.length > 0 ? [...others, { server, token, made: all }] : others };
    });
}

/** A name that the user has no token of yet: another is asked for, or numbered when nobody can be asked. */
async function freeName(stage: Stage, run: AsRoot, user: string): Promise<string> {
  for (let name = await askName(stage); ; name = await askName(stage)) {
    if (!(await tokenExists(run, user, name))) return name;
    trouble(
      `${user} has a token called ${name} already, and its secret cannot be read any more.`,
      'Choose another name.',
    );
    if (!stage.ask.interactive) {
      throw new Failure(
        'conflict',
        `The name ${name} is taken.`,
        'Give another --token-name, or its secret by --token-file.',
      );
    }
  }
}
