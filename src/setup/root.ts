/** What a command of the host gave. */
export interface Said {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one program of the host as root, over SSH. Rejects when that cannot be done; any exit code is an answer. */
export type AsRoot = (argv: readonly string[]) => Promise<Said>;
