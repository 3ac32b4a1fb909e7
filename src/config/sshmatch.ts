import { matchesAny } from './sshpattern.ts';

/** What a Match line is held against. */
export interface Criteria {
  /** The name as it was given. */
  readonly original: string;
  /** The name or address that it has become by then. */
  readonly host: string;
  readonly user: string;
  readonly localUser: string;
  /** The configuration is read a second time. */
  readonly final: boolean;
}

export interface Matched {
  readonly matches: boolean;
  /** It asks for that second time. */
  readonly wantsFinal: boolean;
  /** What decides it and is never looked at here, such as `exec`; then it does not match. */
  readonly skipped?: string;
}

/** Holds a Match line against the criteria, each in its turn (match_cfg_line() of OpenSSH's readconf.c). */
export function matchLine(text: string, criteria: Criteria): Matched {
  // As strdelim() of OpenSSH's misc.c does it: a quote may begin within a word, and where it ends the word does.
  const words = [...text.replace(/(^|\s)#.*$/, '').matchAll(/([^\s="]*)"([^"]*)"|[^\s="]+/g)].map(
    ([word, before, quoted]) => (quoted === undefined ? word : `${before}${quoted}`),
  );
  let result = words.length > 0;
  let wantsFinal = false;
  let skipped: string | undefined;
  const rest = words.values();
  for (const word of rest) {
    const negated = word.startsWith('!');
    const name = word.replace(/^!/, '').toLowerCase();
    wantsFinal ||= name === 'final';
    const holds = bare(name, criteria) ?? listed(name, rest.next().value, criteria);
    // What comes after a criterion that does not hold, ssh(1) does not run either.
    if (holds === undefined && result) skipped ??= name;
    result &&= holds !== undefined && holds !== negated;
  }
  return { matches: result, wantsFinal, skipped };
}

/** Criteria without an argument; undefined for another one. */
function bare(name: string, { final }: Criteria): boolean | undefined {
  if (name === 'all') return true;
  return name === 'final' || name === 'canonical' ? final : undefined;
}

/** Criteria with a list of patterns; undefined for one that is not evaluated. */
function listed(name: string, list: string | undefined, criteria: Criteria): boolean | undefined {
  const patterns = (list ?? '').split(',');
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  if (name === 'host') return matchesAny(criteria.host.toLowerCase(), lower);
  if (name === 'originalhost') return matchesAny(criteria.original.toLowerCase(), lower);
  if (name === 'user') return matchesAny(criteria.user, patterns);
  if (name === 'localuser') return matchesAny(criteria.localUser, patterns);
  return undefined;
}
