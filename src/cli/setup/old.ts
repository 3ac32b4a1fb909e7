import { existsSync } from 'node:fs';
import { asFailure } from '../../failure.ts';
import { clients } from '../../setup/clients.ts';
import type { Old } from '../../setup/moving.ts';
import { changeRecord } from '../../setup/record.ts';
import { planRemoval } from '../../setup/registration.ts';
import { around } from '../register.ts';
import type { Stage } from './stage.ts';
import { done, note, trouble } from './tell.ts';

/** The token of another server, when the user wants it taken over. */
export const oldToken = ({ old }: Stage): NonNullable<Old['token']> | undefined =>
  old.find(({ token }) => token !== undefined)?.token;

/** A key that another server logs in with, and that is there. */
export const oldKey = ({ old }: Stage): string | undefined =>
  old.map(({ keyPath }) => keyPath).find((path) => path !== undefined && existsSync(path));

/** Other servers do what this one does: each entry is taken out of Claude Code's list, or left, as the user says. */
export async function replaceOld(stage: Stage): Promise<void> {
  const { ask, old } = stage;
  const file = clients['claude-code'].file(around());
  for (const { entry, label } of old) {
    if (entry === undefined) continue;
    const what = await ask.choose({
      flag: 'old-entries',
      question: `${label} does what this server does. What of it?`,
      options: [
        {
          value: 'leave' as const,
          label: 'Leave it in the list',
          hint: 'an AI then has two servers for the same things',
        },
        { value: 'remove' as const, label: 'Take it out of the list', hint: 'its files stay' },
      ],
      initial: 'leave' as const,
    });
    if (what === 'leave') {
      note(`${entry} stays in ${file}.`);
      continue;
    }
    takeOutOld(stage, file, entry);
  }
}

function takeOutOld({ recordFile }: Stage, file: string, name: string): void {
  try {
    const { registration, apply } = planRemoval({ client: 'claude-code', name, file });
    if (!registration) return;
    // Before the act: what is cut off in between can still be undone.
    changeRecord(recordFile, ({ taken }) => ({ taken: [...taken, registration] }));
    apply();
    done(`Took ${name} out of ${file}; ${registration.backup} is the file as it was.`);
  } catch (error) {
    const { message, hint } = asFailure(error);
    trouble(message, hint);
  }
}
