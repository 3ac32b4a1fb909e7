import { command, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { placeOf } from './place.ts';
import { previewCommand, runCommand } from './run-command.ts';

export default defineSshTool({
  name: 'ssh_sudo_exec',
  title: 'Run a command as root',
  effect: 'execute',
  core: true,
  summary:
    'Run a shell command or script as root on a node or SSH host whose login is not root, by sudo; its password, where one ' +
    'is needed, comes from the settings. Otherwise as ssh_exec, which is enough where the login is root.',
  search: 'sudo root privileged administrator shell bash remote command execute apt systemctl',
  input: { target: target.optional(), ...command },
  alarm: (input) => alarmFor(input, /^(ct|lxc)\//.test(input.target ?? '')),
  confirm: async (input, context) => previewCommand(await placeOf(input.target, context), input, true),
  run: async (input, context) => runCommand(await placeOf(input.target, context), input, context, true),
});
