import { ALL, type Problem } from '../config/problem.ts';
import { flagOf, type Key, keys, settingOf } from '../config/settings.ts';

/** Which secret is meant by a flag such as --token, --password or --ssh-sudo-password=…; undefined for others. */
function secretMeant(argument: string): Key | undefined {
  const name = /^--?([a-z-]+)(=|$)/i.exec(argument)?.[1]?.toLowerCase() ?? '';
  if (keys.some((key) => flagOf(key) === `--${name}`)) return undefined;
  if (/webhook/.test(name)) return /url$/.test(name) ? 'webhookUrl' : 'webhookSecret';
  if (/sudo/.test(name) && /pass/.test(name)) return 'sshSudoPassword';
  if (/passphrase/.test(name)) return 'sshKeyPassphrase';
  if (/(^|-)(password|passwd|pass)$/.test(name)) return 'sshPassword';
  return /(^|-)(token|secret|api-?key)(-value|-secret)?$/.test(name) ? 'proxmoxTokenValue' : undefined;
}

/** The problem of a secret among the arguments. Its value is not looked at and not told. */
export function secretInArgv(argv: readonly string[], settingsFile: string): Problem | undefined {
  const argument = argv.find((each) => secretMeant(each) !== undefined);
  const key = argument && secretMeant(argument);
  if (!argument || !key) return undefined;
  return {
    cause: `${argument.split('=')[0]} is not an option: other users of this machine can read a command line.`,
    cure: `Put ${settingOf(key).env} into ${settingsFile}, and run chmod 600 on that file.`,
    blocks: ALL,
  };
}
