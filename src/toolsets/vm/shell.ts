import { Failure } from '../../failure.ts';
import { LARGEST_INPUT } from '../../pve/agent.ts';
import { quote, refuseUncarriable, refuseUserName } from '../../ssh/quote.ts';
import type { Marks } from '../../ssh/wrap.ts';
import type { Work } from '../ssh/run-at.ts';

const shellOf = (user: string | undefined): string =>
  user === undefined ? '"$PSM_SH"' : `su -s "$(command -v "$PSM_SH")" ${user}`;

/**
 * What `/bin/sh -s` in a VM reads: it goes to the directory, sets the environment and becomes bash, or sh where there
 * is none, on the script. An agent gives a program one input, so what the script is to read is printed into it.
 * `invalid-input` for what cannot be carried, and beyond the 64 KiB that an agent takes.
 */
export function shellText({ script, stdin, cwd, user, env = {} }: Work, { cookie, mark }: Marks): Buffer {
  for (const [name, value] of Object.entries(env)) refuseUncarriable(value, `The environment variable ${name}`);
  refuseUncarriable(script, 'The script');
  refuseUserName(user);
  refuseUncarriable(stdin ?? '', 'The input');
  const lines = [
    ...(cwd === undefined ? [] : [`cd -- ${quote(cwd)} 2>/dev/null || { printf '%s cd\\n' ${mark} >&2; exit 1; }`]),
    // An agent that systemd started has no home.
    '[ -n "$HOME" ] || HOME=/root; export HOME',
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PSM_RUN=${cookie}`,
    // Leads a session, which holds what clears its environment: by that it can be found and ended (see hunt).
    'PSM_OWN=$(command -v setsid >/dev/null && echo setsid)',
    'PSM_SH=$(command -v bash >/dev/null && echo bash || echo sh)',
    // The space keeps a script that starts with a dash from being taken for an option.
    ...(user === undefined ? [] : [`id -u -- ${user} >/dev/null 2>&1 || { printf '%s user\\n' ${mark} >&2; exit 1; }`]),
    `${stdin === undefined ? '' : `printf %s ${quote(stdin)} | `}exec $PSM_OWN ${shellOf(user)} -c ${quote(` ${script}`)}`,
  ];
  const text = Buffer.from(`${lines.join('\n')}\n`);
  if (text.length <= LARGEST_INPUT) return text;
  throw new Failure(
    'invalid-input',
    `Script, input and environment are ${text.length} bytes for the guest agent, which takes ${LARGEST_INPUT} at once.`,
    'Write the bulk into a file of the VM by several calls (>> appends), or reach the VM by SSH as a host of its own.',
  );
}
