import { command, vmid } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { containerPlaceOf } from './place.ts';
import { placed } from './placed.ts';
import { previewCommand, runCommand } from './run-command.ts';

export default defineSshTool({
  name: 'pct_exec',
  title: 'Run a command in a container',
  effect: 'execute',
  core: true,
  summary:
    'Run a shell command or script as root in a running LXC container, by pct exec on its node; the same as ' +
    'ssh_exec with target ct/VMID.',
  search: 'lxc container shell bash inside attach lxc-attach docker ps exec command script',
  input: { vmid, ...command },
  alarm: (input) => alarmFor(input, true),
  commands: (input, context) => placed(input, context, () => containerPlaceOf(input.vmid, context)),
  confirm: async (input, context) => previewCommand(await containerPlaceOf(input.vmid, context), input, false),
  run: async (input, context) => runCommand(await containerPlaceOf(input.vmid, context), input, context, false),
});
