import type { Loaded } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import type { Secret } from '../../secret.ts';
import type { Old } from '../../setup/moving.ts';
import type { HostSpec } from '../../ssh/client.ts';
import type { Answers, Asker } from './asker.ts';

/** What the steps find out one after the other; a step that failed leaves its part out. */
export interface Draft {
  host: string;
  apiPort: number;
  sshPort: number;
  sshUser: string;
  /** Something answers at the port of the API, and at that of SSH. */
  apiAnswers?: boolean;
  sshAnswers?: boolean;
  fingerprint?: string;
  /** The host key is known, so that SSH may be used. */
  hostKeyKnown?: boolean;
  /** Logging in works without a password. */
  loginWorks?: boolean;
  keyPath?: string;
  /** Socket of the SSH agent, where its keys are to be used. */
  agent?: string;
  token?: { readonly id: string; readonly secret: Secret };
  /** Who keeps the token's secret; the settings file unless it is said. */
  keep?: { readonly by: 'file' | 'keychain' } | { readonly by: 'command'; readonly command: string };
  mode?: Settings['mode'];
  toolsets?: Settings['toolsets'];
}

/** What all steps have in common. */
export interface Stage {
  readonly ask: Asker;
  readonly answers: Answers;
  /** What is set up already. */
  readonly loaded: Loaded;
  readonly settingsFile: string;
  readonly recordFile: string;
  readonly home: string;
  /** Settings of other servers, offered as defaults. */
  readonly old: readonly Old[];
  readonly draft: Draft;
}

/** The server, as SSH reaches it with what is known so far. */
export const serverOf = ({ draft }: Stage): HostSpec => ({
  name: draft.host,
  address: draft.host,
  port: draft.sshPort,
  user: draft.sshUser,
  keyPath: draft.keyPath,
  agent: draft.agent,
});
