import { command, guest } from '../params.ts';
import { alarmFor } from '../ssh/alarm.ts';
import { placed } from '../ssh/placed.ts';
import { previewCommand, runCommand } from '../ssh/run-command.ts';
import { definePveTool } from '../tool.ts';
import { vmShellOf } from './place.ts';

export default definePveTool({
  name: 'vm_exec',
  title: 'Run a command in a VM',
  effect: 'execute',
  summary:
    'Run a shell command or script as root in a running Linux VM by its QEMU guest agent, without SSH or network; ' +
    'the same as ssh_exec with target vm/VMID. Script and stdin: 64 KiB. What it leaves in the background has to ' +
    'give up its output (>/dev/null 2>&1 &).',
  search: 'virtual machine qemu qga bash inside terminal execute remote qm guest',
  input: { guest, ...command },
  alarm: (input) => alarmFor(input, false),
  commands: (input, context) => placed(input, context, () => vmShellOf(input.guest, context)),
  confirm: async (input, context) => previewCommand(await vmShellOf(input.guest, context), input, false),
  run: async (input, context) => runCommand(await vmShellOf(input.guest, context), input, context, false),
});
