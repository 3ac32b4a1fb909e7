import { posix } from 'node:path';
import type { Simple } from './frame.ts';
import { type Options, optionsOf } from './options.ts';
import { readScript, type Script } from './script.ts';
import type { Word } from './word.ts';

/** A program that is started, by the shell or by another program that is there to start it. */
export interface Call extends Omit<Simple, 'words'> {
  readonly program: string;
  /** Behind the program's name. */
  readonly args: readonly Word[];
  /** `timeout` ends it. */
  readonly bounded: boolean;
}

/** Programs that start what follows their own options and so many operands. */
const runners: Readonly<Record<string, { readonly valued?: string; readonly operands?: number }>> = {
  sudo: { valued: 'ugphCcrtTUDR --user --group --prompt --host --chdir --close-from --role --type' },
  doas: { valued: 'uC' },
  env: { valued: 'uCS --unset --chdir' },
  nohup: {},
  nice: { valued: 'n --adjustment' },
  ionice: { valued: 'cn --class --classdata' },
  chrt: { operands: 1 },
  time: { valued: 'fo' },
  timeout: { valued: 'ks --kill-after --signal', operands: 1 },
  exec: { valued: 'a' },
  command: {},
  builtin: {},
  setsid: {},
  stdbuf: { valued: 'ioe' },
  busybox: {},
  flock: { valued: 'wE', operands: 1 },
  chroot: { valued: ' --userspec --groups', operands: 1 },
  nsenter: { valued: 'tSGW --target' },
  runuser: { valued: 'ugGcsw' },
  'lxc-attach': { valued: 'nPfosvu --name --lxcpath --rcfile' },
};

/** Programs that start what follows a place: `pct exec 400 -- …`. */
const entering: readonly {
  readonly names: RegExp;
  readonly verb: RegExp;
  readonly before: string;
  readonly valued: string;
}[] = [
  {
    names: /^(docker|podman|nerdctl)$/,
    verb: /^exec$/,
    before: 'Hclc --host --context --config',
    valued: 'euw --env --env-file --user --workdir --detach-keys',
  },
  { names: /^pct$/, verb: /^exec$/, before: '', valued: ' --keep-env' },
  { names: /^(lxc|incus)$/, verb: /^exec$/, before: '', valued: ' --env --cwd --user --group --mode' },
];

const shells = /^(ba|da|z|a|k|mk)?sh$/;

/** How often one program starts another, and how much of a command line is looked at. */
const DEEPEST = 8;
const MOST_WORDS = 200;

/** All that a script starts, and what is started by that. */
export function callsOf({ commands, functions }: Script, depth = 0): Call[] {
  return commands.flatMap((command) => {
    const [first] = command.words;
    return first === undefined || functions.has(first.text) ? [] : callsIn(command, command.words, false, depth);
  });
}

function callsIn(command: Simple, words: readonly Word[], bounded: boolean, depth: number): Call[] {
  const [first, ...args] = words.slice(0, MOST_WORDS);
  if (first === undefined || depth > DEEPEST) return [];
  const program = posix.basename(first.text);
  const call: Call = { ...command, program, args, bounded };
  const inner = startedBy(call);
  const text = textOf(call);
  return [
    call,
    ...callsIn(command, inner, bounded || program === 'timeout', depth + 1),
    ...(text === undefined || depth >= DEEPEST ? [] : ofText(call, text, depth + 1)),
  ];
}

/** What runs in a text has around it what the program has that reads it. */
const ofText = ({ fed, caught, background, bounded, sinks }: Call, text: string, depth: number): Call[] =>
  callsOf(readScript(text, fed), depth).map((one) => ({
    ...one,
    caught: caught || one.caught,
    background: background || one.background,
    bounded: bounded || one.bounded,
    sinks: [...one.sinks, ...sinks],
  }));

/** The words of the command that the call starts in its turn. */
export function startedBy({ program, args }: Call): readonly Word[] {
  const runner = Object.hasOwn(runners, program) ? runners[program] : undefined;
  const place = entering.find(({ names }) => names.test(program));
  if (place) return enteredBy(args, place);
  if (runner === undefined) return [];
  const { given, first } = optionsOf(args, runner.valued, true);
  if (program === 'command' && (given.has('-v') || given.has('-V'))) return [];
  let rest = args.slice(first);
  while (program === 'env' || program === 'sudo') {
    if (!/^[A-Za-z_]\w*=/.test(rest[0]?.text ?? '')) break;
    rest = rest.slice(1);
  }
  return rest.slice(runner.operands ?? 0);
}

function enteredBy(args: readonly Word[], { verb, before, valued }: (typeof entering)[number]): readonly Word[] {
  const { first } = optionsOf(args, before, true);
  if (!verb.test(args[first]?.text ?? '')) return [];
  const rest = args.slice(first + 1);
  const inner = rest.slice(optionsOf(rest, valued, true).first + 1);
  return inner[0]?.text === '--' ? inner.slice(1) : inner;
}

/** The shell text that the call is given as an argument. */
function textOf({ program, args }: Call): string | undefined {
  if (program === 'eval') return joined(args);
  if (program === 'ssh') {
    const { operands } = sshOptions(args);
    return operands.length > 1 ? operands.slice(1).join(' ') : undefined;
  }
  if (shells.test(program) || program === 'su' || program === 'runuser' || program === 'flock') {
    const at = args.findIndex(({ text }) => /^(-[a-zA-Z]*c|--command|--session-command)$/.test(text));
    return at < 0 ? undefined : args[at + 1]?.text;
  }
  return undefined;
}

const joined = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

/** Of ssh(1): behind the host comes the command, options and all. */
export const sshOptions = (args: readonly Word[]): Options => {
  const valued = 'BbcDEeFIiJLlmOoPpQRSWw';
  const before = optionsOf(args, valued, true);
  const after = optionsOf(args.slice(before.first + 1), valued, true);
  const command = args.slice(before.first + 1 + after.first).map(({ text }) => text);
  const host = args[before.first]?.text;
  return {
    given: new Set([...before.given, ...after.given]),
    operands: host === undefined ? [] : [host, ...command],
    open: before.open,
    first: before.first,
  };
};
