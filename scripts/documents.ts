import { type Group, groups } from '../src/config/setting.ts';
import { keys, settingOf } from '../src/config/settings.ts';
import { tools } from '../src/toolsets/index.ts';
import { type Peer, peers } from './peers/index.ts';

const settingsOf = (group: Group) =>
  keys.map((key) => ({ key, ...settingOf(key) })).filter((setting) => setting.group === group);

const groupNames = Object.keys(groups) as readonly Group[];

/** `.env.example`: every setting with its sentence and default, those that are needed as lines to fill in. */
export function envExample(): string {
  const head = [
    '# Settings of proxmox-ssh-mcp. Copy this file to ~/.config/proxmox-ssh-mcp/.env, fill in what is not commented out,',
    '# and run chmod 600 on it: a file that other users can read is refused.',
    '# A value with a # or a space in it has to stand in single quotes. An empty value counts as not set.',
  ];
  const parts = groupNames.map((group) => {
    const entries = settingsOf(group).map(({ env, says, initial, otherwise, example, needed, usual }) => {
      const unset = otherwise ? `Unset: ${otherwise}.` : initial && `Default: ${initial}`;
      const toFill = needed || usual;
      const words = [says, unset, toFill && `Example: ${example}`].filter(Boolean).join(' ').replaceAll('`', '');
      return `${comment(words)}\n${toFill ? `${env}=` : `# ${env}=${example}`}`;
    });
    return [`# ${'-'.repeat(8)} ${groups[group]} ${'-'.repeat(8)}`, ...entries].join('\n\n');
  });
  return `${[head.join('\n'), ...parts].join('\n\n')}\n`;
}

/** The text as comment lines of at most 110 characters. */
const comment = (text: string): string =>
  (text.match(/\S.{0,107}(?=\s|$)/g) ?? []).map((line) => `# ${line}`).join('\n');

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The settings as Markdown, one table for each group. */
export function settingsTables(): string {
  return groupNames
    .map((group) => {
      const rows = settingsOf(group).map(({ env, says, initial, otherwise, needed, secret }) => {
        const unset = needed ? '**needed**' : (otherwise ?? (initial ? `\`${initial}\`` : ''));
        return row(`\`${env}\``, unset, `${says}${secret ? ' Secret: no flag.' : ''}`);
      });
      return [
        `**${groups[group]}**`,
        '',
        row('setting', 'default', 'what it is'),
        row('---', '---', '---'),
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}

/** The first sentence of a tool's summary, or what stands before its first colon; neither ends inside parentheses. */
function firstSentence(summary: string): string {
  const [first = summary] = /^(?:\([^)]*\)|[^(])*?(?=[.:](?:\s|$))/.exec(summary) ?? [];
  return `${first.replace(/\s+/g, ' ')}.`;
}

/** The tools as one Markdown table: name, set, effect and the first sentence of what they say of themselves. */
export function toolsTable(): string {
  const rows = tools.map(({ name, core, toolset, effect, summary }) =>
    row(`\`${name}\``, core || toolset === 'server' ? 'core' : 'full', effect, firstSentence(summary)),
  );
  return [row('tool', 'set', 'effect', 'what it does'), row('---', '---', '---', '---'), ...rows].join('\n');
}

/** The document with the text between `<!-- gen:NAME -->` and the next `<!-- /gen -->` replaced. */
export function filled(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const place = new RegExp(`(<!-- gen:${name} -->\n)[\\s\\S]*?(<!-- /gen -->)`);
    if (!place.test(text)) throw new Error(`There is no <!-- gen:${name} --> … <!-- /gen --> in the document.`);
    return text.replace(place, (_, begin: string, end: string) => `${begin}${part}\n${end}`);
  }, document);
}

/** README.md as it has to be, made from what it is. */
export const readme = (text: string): string => filled(text, { settings: settingsTables(), tools: toolsTable() });

/** What a peer's functions are called here, as a Markdown table. */
function peerTable({ name, rows }: Peer): string {
  const cells = rows.map(({ name, tool, how, proof }) => row(name, `\`${tool}\``, how, `\`${proof}\``));
  return [row(name, 'here', 'how', 'proved by'), row('---', '---', '---', '---'), ...cells].join('\n');
}

/** docs/migrating.md as it has to be, made from what it is. */
export const migrating = (text: string): string =>
  filled(text, Object.fromEntries(peers.map((peer) => [peer.id, peerTable(peer)])));
