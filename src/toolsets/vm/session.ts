import { Failure } from '../../failure.ts';
import type { VmPlace } from './place.ts';

/** Why there is no session in a VM by its guest agent, and what there is. */
export const vmSessionRefusal = ({ guest, label }: VmPlace): Failure =>
  new Failure(
    'invalid-input',
    `${label} is reached by its guest agent, which gives a command no stream: a shell cannot be kept open there.`,
    `Run single commands with vm_exec (guest ${guest.vmid}); or list the VM as an SSH host (inventory file or ~/.ssh/config) and open a session on that.`,
  );
