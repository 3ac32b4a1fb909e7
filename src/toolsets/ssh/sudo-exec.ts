import { command, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { placeOf } from './place.ts';
import { placed } from './placed.ts';
import { previewCommand, runCommand } from './run-command.ts';

export default defineSshTool({
  name: 'ssh_sudo_exec',
  title: 'Run a command as root',
  effect: 'execute',
  core: true,
  summary:
    'Run a shell command or script as root, by sudo, on a node or SSH host whose login is not root (else ssh_exec ' +
    'is enough). A password that it needs comes from the settings.',
  search: 'sudo root privileged administrator shell bash remote command execute apt systemctl',
  input: { target: target.optional(), ...command },
  alarm: (input) => alarmFor(input, /^(ct|lxc)\//.test(input.target ?? '')),
  commands: (input, context) => placed(input, context, () => placeOf(input.target, context)),
  confirm: async (input, context) => previewCommand(await placeOf(input.target, context), input, true),
  run: async (input, context) => runCommand(await placeOf(input.target, context), input, context, true),
});
