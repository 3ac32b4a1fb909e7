import { command, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { placeOf } from './place.ts';
import { placed } from './placed.ts';
import { previewCommand, runCommand } from './run-command.ts';

export default defineSshTool({
  name: 'ssh_exec',
  title: 'Run a command',
  effect: 'execute',
  core: true,
  summary:
    'Run a shell command or script on a node or other SSH host as its login user, or in a container (ct/400) or ' +
    'VM (vm/101) as root. What runs long goes on as a job (ssh_job_read).',
  search: 'shell bash terminal remote ssh command execute script docker systemctl journalctl logs',
  input: { target: target.optional(), ...command },
  alarm: (input) => alarmFor(input, /^(ct|lxc)\//.test(input.target ?? '')),
  commands: (input, context) => placed(input, context, () => placeOf(input.target, context)),
  confirm: async (input, context) => previewCommand(await placeOf(input.target, context), input, false),
  run: async (input, context) => runCommand(await placeOf(input.target, context), input, context, false),
});
