import { asciiJson } from '../log/json.ts';
import { verify } from '../log/verify.ts';
import { telling } from './log.ts';
import { say } from './terminal.ts';

/** Looks for tampering, one line for each finding, and exits with 1 when there is any. */
export const logVerify = (settingsFile: string | undefined, json: boolean): Promise<void> =>
  telling(settingsFile, async (place) => {
    const verified = await verify(place);
    const { lines, files, chains, ahead, torn, findings, more } = verified;
    if (findings.length > 0) process.exitCode = 1;
    if (json) return say(asciiJson({ ok: findings.length === 0, ...verified }, 2));
    for (const { says, means } of findings) say(`${says} ${means}`);
    if (more > 0) say(`And ${more} more of this kind.`);
    const amount = `${count(lines, 'line')} of ${count(chains, 'chain')} in ${count(files, 'file')}`;
    say(
      findings.length === 0
        ? `${amount}: all is as it was written.`
        : `${amount}: ${count(findings.length + more, 'finding')}.`,
    );
    if (torn.length > 0)
      say(
        `No whole line: ${torn.slice(0, 5).join(', ')}${torn.length > 5 ? ', …' : ''}. A write was cut there; no finding tells of a record that it took along.`,
      );
    if (ahead > 0)
      say(
        `The newest ${count(ahead, 'line')} would not be missed if cut: the head follows within half a second while a server runs.`,
      );
  });

const count = (number: number, what: string): string =>
  `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
