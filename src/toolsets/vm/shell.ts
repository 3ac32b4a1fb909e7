import { Failure } from '../../failure.ts';
import { LARGEST_INPUT } from '../../pve/agent.ts';
import { quote, refuseUncarriable, refuseUserName } from '../../ssh/quote.ts';
import { GO_HOME, type Marks, refuseUnknown, UNATTENDED } from '../../ssh/wrap.ts';
import type { Work } from '../ssh/run-at.ts';

/**
 * What `/bin/sh -s` in a VM reads: it goes to the directory, sets the environment and becomes bash, or sh where there
 * is none, on the script. An agent gives a program one input, so what the script is to read is printed into it.
 * `invalid-input` for what cannot be carried, and beyond the 64 KiB that an agent takes.
 */
export function shellText(work: Work, marks: Marks): Buffer {
  const { script, stdin, user, env = {} } = work;
  for (const [name, value] of Object.entries(env)) refuseUncarriable(value, `The environment variable ${name}`);
  refuseUncarriable(script, 'The script');
  refuseUserName(user);
  refuseUncarriable(stdin ?? '', 'The input');
  // An agent that systemd started has no home.
  const lines = ['[ -n "$HOME" ] || HOME=/root; export HOME', ...inside(work, marks)];
  const text = Buffer.from(`${(user === undefined ? lines : became(user, lines, marks)).join('\n')}\n`);
  if (text.length <= LARGEST_INPUT) return text;
  throw new Failure(
    'invalid-input',
    `Script, input and environment are ${text.length} bytes for the guest agent, which takes ${LARGEST_INPUT} at once.`,
    'Write the bulk into a file of the VM by several calls (>> appends), or reach the VM by SSH as a host of its own.',
  );
}

/** Leads a session, which holds what clears its environment: by that it can be found and ended (see hunt). */
const OWN_SESSION = 'PSM_OWN=$(command -v setsid >/dev/null && echo setsid)';

/** What is run by whoever runs the script. */
function inside({ script, stdin, cwd, user, env = {} }: Work, { cookie, mark }: Marks): string[] {
  const home = user === undefined ? [] : [GO_HOME];
  return [
    UNATTENDED,
    ...(cwd === undefined ? home : [`cd -- ${quote(cwd)} 2>/dev/null || { printf '%s cd\\n' ${mark} >&2; exit 1; }`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PSM_RUN=${cookie}`,
    ...(user === undefined ? [OWN_SESSION] : []),
    'PSM_SH=$(command -v bash >/dev/null && echo bash || echo sh)',
    // The space keeps a script that starts with a dash from being taken for an option.
    `${stdin === undefined ? '' : `printf %s ${quote(stdin)} | `}exec $PSM_OWN $PSM_SH -c ${quote(` ${script}`)}`,
  ];
}

/** The same as another user, who is given it in his environment: a process list shows everybody what su is told. */
const became = (user: string, lines: readonly string[], { cookie, mark }: Marks): string[] => [
  refuseUnknown(user, mark),
  `export PSM_RUN=${cookie} PSM_TEXT=${quote(`unset PSM_TEXT\n${lines.join('\n')}`)}`,
  // Not inside of su, which may have made a leader of what it starts: that one's setsid would not wait.
  OWN_SESSION,
  `exec $PSM_OWN su -s /bin/sh -c 'eval "$PSM_TEXT"' ${user}`,
];
