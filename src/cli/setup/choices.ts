import { existsSync, readFileSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import { replaceFile } from '../../replacefile.ts';
import { changeRecord } from '../../setup/record.ts';
import { HEADING, withSettings } from '../../setup/settingsfile.ts';
import type { Draft, Stage } from './stage.ts';
import { done, trouble } from './tell.ts';

/** Step: how much may be done, and which tools there are. */
export async function chooseMode({ ask, draft, loaded }: Stage): Promise<void> {
  draft.mode = await ask.choose<Settings['mode']>({
    flag: 'mode',
    question: 'How much may the AI do?',
    options: [
      { value: 'guarded', label: 'guarded', hint: 'everything; before what cannot be undone, you are asked' },
      { value: 'read-only', label: 'read-only', hint: 'look only' },
      { value: 'ask', label: 'ask', hint: 'everything, but you are asked before every change' },
      { value: 'trusted', label: 'trusted', hint: 'everything, unasked' },
    ],
    initial: loaded.settings.mode,
  });
  const toolsets = await ask.choose({
    flag: 'toolsets',
    question: 'Which tools shall there be?',
    options: [
      {
        value: 'full',
        label: 'full',
        hint: 'all of them; best for clients that look tools up when needed, as Claude Code does',
      },
      { value: 'core', label: 'core', hint: 'those for every day, which take least of a model’s context' },
      { value: 'pve', label: 'pve', hint: 'the API only' },
      { value: 'ssh', label: 'ssh', hint: 'SSH only' },
    ],
    initial: loaded.sources.toolsets === 'default' ? 'full' : (loaded.settings.toolsets[0] ?? 'full'),
  });
  draft.toolsets = [toolsets];
}

/** Writes what was found out into the settings file: all of it or nothing, readable for this user alone. */
export async function saveSettings(stage: Stage): Promise<boolean> {
  const { ask, settingsFile, recordFile } = stage;
  const before = existsSync(settingsFile) ? readFileSync(settingsFile, 'utf8') : undefined;
  const text = withSettings(before ?? HEADING, valuesOf(stage));
  if (text === before) {
    done(`${settingsFile} says so already.`);
    return true;
  }
  if (!(await ask.agree(`Write the settings to ${settingsFile}?`))) {
    trouble('The settings were not written.', 'Nothing will work until they are.');
    return false;
  }
  if (before === undefined) changeRecord(recordFile, ({ files }) => ({ files: [...files, settingsFile] }));
  replaceFile(settingsFile, text);
  done(`Wrote ${settingsFile} (0600).`);
  return true;
}

/** Only what was found out: every other line of the file stays. */
function valuesOf({ draft, home, loaded }: Stage): Record<string, string | undefined> {
  const [user, name] = draft.token?.id.split('!') ?? [];
  const sameHost = loaded.clusters[0].endpoints[0]?.host === draft.host;
  const values = {
    // It may name further ones behind this one.
    PROXMOX_HOST: sameHost && loaded.sources.proxmoxHost !== 'default' ? undefined : draft.host,
    PROXMOX_PORT: String(draft.apiPort),
    PROXMOX_USER: user,
    PROXMOX_TOKEN_NAME: name,
    PROXMOX_FINGERPRINT: draft.fingerprint,
    SSH_USER: draft.sshUser,
    SSH_PORT: String(draft.sshPort),
    SSH_KEY_PATH: draft.keyPath?.replace(home, '~'),
    MCP_MODE: draft.mode,
    MCP_TOOLSETS: draft.toolsets?.join(','),
  };
  return {
    ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
    ...secretOf(draft),
  };
}

/** A new token's secret, or who keeps it; the lines that would say otherwise go. */
function secretOf({ keep, token }: Draft): Record<string, string | undefined> {
  if (!keep || !token) return {};
  return {
    PROXMOX_TOKEN_VALUE: keep.by === 'file' ? token.secret.reveal() : undefined,
    PROXMOX_TOKEN_KEYCHAIN: keep.by === 'keychain' ? 'yes' : undefined,
    PROXMOX_TOKEN_COMMAND: keep.by === 'command' ? keep.command : undefined,
  };
}
