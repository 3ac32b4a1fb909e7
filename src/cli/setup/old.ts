import { existsSync } from 'node:fs';
import { clients } from '../../setup/clients.ts';
import type { Old } from '../../setup/moving.ts';
import { removeEntry } from '../../setup/registration.ts';
import { around } from '../register.ts';
import type { Stage } from './stage.ts';
import { done, note } from './tell.ts';

/** The token of another server, when the user wants it taken over. */
export const oldToken = ({ old }: Stage): NonNullable<Old['token']> | undefined =>
  old.find(({ token }) => token !== undefined)?.token;

/** A key that another server logs in with, and that is there. */
export const oldKey = ({ old }: Stage): string | undefined =>
  old.map(({ keyPath }) => keyPath).find((path) => path !== undefined && existsSync(path));

/** Other servers do what this one does: each entry is taken out of Claude Code's list, or left, as the user says. */
export async function replaceOld({ ask, old }: Stage): Promise<void> {
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
    const backup = removeEntry('claude-code', file, entry);
    done(`Took ${entry} out of ${file}; ${backup} is the file as it was.`);
  }
}
