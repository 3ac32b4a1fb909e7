import { Command, CommanderError } from 'commander';
import { ALL, type Problem } from '../config/problem.ts';
import { groups } from '../config/setting.ts';
import { flagOf, keys, settingOf } from '../config/settings.ts';
import { clientNames } from '../setup/clients.ts';
import { secretInArgv } from './argv.ts';
import type { DashboardOptions } from './dashboard.ts';
import { demoCommand } from './demo.ts';
import { logCommand } from './log-command.ts';
import type { RegisterFlags } from './register.ts';
import { type Flags, usualSettingsFile, version } from './surroundings.ts';
import { warn } from './terminal.ts';

const NAME = 'proxmox-ssh-mcp';
const HTTP_ADDRESS = '127.0.0.1:8765';
/** As a shell tells that a program ended because nobody read on: 128 and SIGPIPE. */
const CLOSED_PIPE = 141;

/** Does what the arguments say; without any it serves. A wrong command line exits with 2, unless it is serve's. */
export async function run(argv: readonly string[]): Promise<void> {
  const words = argv.length === 0 || /^-(?!-?h(elp)?$|V$|-version$)/.test(argv[0] ?? '') ? ['serve', ...argv] : argv;
  if (words[0] !== 'serve') process.stdout.once('error', () => process.exit(CLOSED_PIPE));
  const secret = secretInArgv(words, usualSettingsFile());
  if (secret) return refuse(words, secret);
  try {
    await commands().parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) await refuse(words, usage(error));
  }
}

/** A client would only see that the server is gone; so, unless a human typed it, serve starts and tells it. */
async function refuse(words: readonly string[], problem: Problem): Promise<void> {
  const overStdio = words[0] === 'serve' && !words.some((word) => /^--http(=|$)/.test(word));
  if (overStdio && !process.stdin.isTTY) {
    const { serve } = await import('./serve.ts');
    return serve({}, [problem]);
  }
  warn(`${problem.cause} ${problem.cure}`);
  process.exitCode = 2;
}

function usage({ message }: CommanderError): Problem {
  const [, told = '', guess] = /^(?:error: )?(.*?)(?:\n\((Did you mean [^\n]*)\))?$/s.exec(message) ?? [];
  // An argument may be a secret after all: of --name=value, the name alone is told.
  const cause = `${told.replace(/('--?[\w-]+)=.*/s, "$1'")}.`;
  const ours = told.includes("'--env-file") ? 'Use --settings-file: Node would take --env-file for itself.' : undefined;
  return {
    cause: cause.charAt(0).toUpperCase() + cause.slice(1),
    cure: ours ?? guess ?? `See ${NAME} --help.`,
    blocks: ALL,
  };
}

function commands(): Command {
  const program = new Command(NAME)
    .description('An MCP server that lets an AI client read and run Proxmox VE over its REST API and over SSH.')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  withSettings(program.command('serve'))
    .description('serve MCP on stdin and stdout (the default), or over HTTP')
    .option('--http [address:port]', `serve over HTTP instead, on this machine only (${HTTP_ADDRESS})`)
    .option('--i-understand', 'serve over HTTPS to other machines, if --http says so')
    .action(serving);
  withSettings(program.command('doctor'))
    .description('check everything that the server needs, one line each with its cure')
    .option('--json', 'print JSON')
    .action(async (flags: Flags & { json?: true }) => (await import('./doctor.ts')).doctor(flags, flags.json === true));
  withFile(program.command('hosts'))
    .description('list the hosts that can be named, and where each is known from')
    .option('--json', 'print JSON')
    .action(async (flags: Flags & { json?: true }) => (await import('./hosts.ts')).hosts(flags, flags.json === true));
  withFile(program.command('trust'))
    .description("accept a host's SSH key")
    .argument('<host>', 'name of a host, or address:port')
    .option('--fingerprint <SHA256:…>', 'accept without a question if the key has this fingerprint')
    .option('--replace', 'put it in the place of the key that was accepted before')
    .action(async (host: string, flags: Flags & { replace?: true }) =>
      (await import('./trust.ts')).trust(host, flags, flags.fingerprint, flags.replace === true),
    );
  withFile(program.command('dashboard'))
    .description('write the datacentre as it is now into one HTML file')
    .option('--open', 'open it in the browser')
    .option('--output <file>', 'file to write, in the place of one in MCP_OUTPUT_DIR')
    .action(async (flags: Flags & DashboardOptions) => (await import('./dashboard.ts')).dashboard(flags, flags));
  withFile(program.command('cluster-secret'))
    .description("put the secret of a further cluster's token into the keychain, typed or from standard input")
    .argument('<cluster>', 'name in the inventory file')
    .action(async (cluster: string, flags: Flags) =>
      (await import('./cluster-secret.ts')).clusterSecret(cluster, flags),
    );
  withFile(program.command('webhook'))
    .description('post one test event to every webhook that is set, and tell what came back')
    .addArgument(program.createArgument('<what>', 'what to do').choices(['test']))
    .action(async (_, flags: Flags) => (await import('./webhook.ts')).testWebhooks(flags));
  program
    .command('approve')
    .description('answer what clients that cannot ask have put to you; without an id, list it')
    .argument('[id]', 'which question')
    .option('--deny', 'say no')
    .action(async (id: string | undefined, { deny }: { deny?: true }) =>
      (await import('./approve.ts')).approve(id, deny === true),
    );
  registering(program);
  settingUp(program);
  logCommand(program);
  program.addCommand(demoCommand().copyInheritedSettings(program));
  return program;
}

type ServeFlags = Flags & { readonly http?: string | true; readonly iUnderstand?: true };

async function serving({ http, iUnderstand, ...flags }: ServeFlags): Promise<void> {
  if (http === undefined) return (await import('./serve.ts')).serve(flags);
  const address = http === true ? HTTP_ADDRESS : http;
  await (await import('./serve-http.ts')).serveHttp(flags, { address, understood: iUnderstand === true });
}

function settingUp(program: Command): void {
  const setup = program
    .command('setup')
    .description('set everything up, step by step, asking before anything is changed')
    .addOption(
      program
        .createOption('--client <name...>', 'AI clients to register it in')
        .choices(clientNames)
        .default(['claude-code']),
    )
    .option('--name <name>', 'what the clients call it', NAME)
    .option('--yes', 'do everything unasked, but vouch for no fingerprint')
    .option('--show-config', 'print what would be registered, and change nothing')
    .option('--settings-file <file>', 'settings file to write')
    .addOption(program.createOption('--made-runtime <folder>', 'a Node.js that was put there for this').hideHelp());
  for (const [flag, says] of setupFlags) setup.option(flag, says);
  setup.action(async ({ client, name, ...answers }) =>
    (await import('./setup/setup.ts')).setup({ client, name, answers }),
  );
  program
    .command('uninstall')
    .description('take away what the setup put somewhere, each thing asked')
    .option('--yes', 'take everything away unasked')
    .action(async (answers) => (await import('./setup/uninstall.ts')).uninstall(answers));
}

/** What the setup would ask. */
const setupFlags: readonly (readonly [string, string])[] = [
  ['--host <host>', 'name or address of the Proxmox VE host'],
  ['--api-port <port>', 'port of its API'],
  ['--ssh-user <name>', 'SSH login'],
  ['--ssh-port <port>', 'SSH port'],
  ['--fingerprint <SHA-256>', "fingerprint that the API's certificate must have"],
  ['--host-key <SHA256:…>', 'fingerprint that the SSH host key must have'],
  ['--ssh-key <file>', 'private key to use, instead of one that is made'],
  ['--key <ours|agent|old>', 'which key: one of our own, those of the SSH agent, or that of another server'],
  ['--token-from <make|take|type|keep|other>', 'where the API token is from'],
  ['--token-file <file>', 'file that holds the secret of an API token; - is standard input'],
  ['--token-user <user@realm>', 'user of the token'],
  ['--token-name <name>', 'name of the token'],
  ['--token-days <days>', 'days after which the token expires'],
  ['--secret-store <keychain|file>', 'where the secret of the token is kept'],
  ['--secret-command <command>', 'command that prints the secret of the token at every start'],
  ['--access <operator|read-only|full>', 'what the token may do'],
  ['--mode <mode>', 'guarded, read-only, ask or trusted'],
  ['--toolsets <set>', 'full, core, pve or ssh'],
  ['--old-entries <leave|remove>', 'what becomes of other servers for Proxmox VE and SSH in the list'],
  ['--replace', 'register in the place of another server of that name'],
];

function registering(program: Command): void {
  const client = program.createOption('--client <name>', 'which client').choices(clientNames);
  withFile(program.command('register'))
    .description('put this server into the list of an AI client, Claude Code unless another is named')
    .addOption(program.createOption(client.flags, client.description).choices(clientNames).default('claude-code'))
    .option('--name <name>', 'what the client calls it', NAME)
    .option('--replace', 'put it in the place of another server of that name')
    .option('--show-config', 'print what would be written, and write nothing')
    .action(async (flags: RegisterFlags) => (await import('./register.ts')).register(flags));
  program
    .command('unregister')
    .description('take this server out of the lists of AI clients')
    .addOption(client)
    .option('--name <name>', 'only the one of this name')
    .action(async (flags) => (await import('./register.ts')).unregister(flags));
}

/** Not called --env-file: Node 20 takes an option of that name for itself, even behind the script. */
const withFile = (command: Command): Command => command.option('--settings-file <file>', 'settings file to read');

/** Every setting that is no secret, under the heading of its group. */
function withSettings(command: Command): Command {
  withFile(command);
  for (const key of keys) {
    const { group, says, env } = settingOf(key);
    const flag = flagOf(key);
    if (!flag) continue;
    const option = command.createOption(`${flag} <value>`, `${says.replaceAll('`', '')} (${env})`);
    command.addOption(option.helpGroup(`${groups[group]}:`));
  }
  return command;
}
