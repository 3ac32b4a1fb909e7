import type { How, Waiting } from './waiting.ts';

const CHANGE = "Change the file by `sed -i 's/OLD/NEW/' FILE`, or by ssh_file_edit.";
const GIT = { programs: /^git$/, before: 'Cc' } as const;

const leaves = ({ call }: How): boolean => !call.args.some(({ text }) => /^\+(w?q|x|qa)/.test(text));

/** What opens an editor. */
export const editors: readonly Waiting[] = [
  {
    programs: /^(g|n|r)?(vi|view|vim|vimdiff)(\.\w+)?$/,
    needs: 'editor',
    valued: 'cSTuUw --cmd',
    unless: '-e -E -s -c -S -h --cmd --headless --version',
    when: leaves,
    form: CHANGE,
  },
  { programs: /^(nano|pico|rnano)$/, needs: 'editor', unless: '-V -h', form: CHANGE },
  {
    programs: /^(joe|jmacs|jpico|rjoe|mcedit|micro|jed|hx|helix|kak)$/,
    needs: 'editor',
    unless: '-version',
    form: CHANGE,
  },
  { programs: /^(sensible-editor|editor)$/, needs: 'editor', form: CHANGE },
  {
    programs: /^emacs(-nox|-gtk)?$/,
    needs: 'editor',
    unless: '-batch --batch -script --script --daemon -x',
    form: CHANGE,
  },
  {
    programs: /^(ed|red|ex)$/,
    needs: 'answer',
    unless: '-c',
    when: leaves,
    form: `Give its commands as stdin. ${CHANGE}`,
  },
  {
    programs: /^crontab$/,
    needs: 'editor',
    only: '-e',
    form: "Use `(crontab -l; echo 'LINE') | crontab -`.",
  },
  {
    programs: /^crontab$/,
    needs: 'answer',
    valued: 'u',
    unless: '-l -r -e -n -V -T',
    when: ({ operands }) => operands.length === 0 || operands[0] === '-',
    form: "It would take an empty table. Use `(crontab -l; echo 'LINE') | crontab -`.",
  },
  {
    programs: /^visudo$/,
    needs: 'editor',
    unless: '-c -x -V -h --check --export',
    form: 'Write a file in /etc/sudoers.d, and check it by `visudo -c -f FILE`.',
  },
  { programs: /^(vipw|vigr)$/, needs: 'editor', form: 'Use `usermod`, `groupmod` or `gpasswd -a USER GROUP`.' },
  { programs: /^sudoedit$/, needs: 'editor', form: CHANGE },
  { programs: /^sudo$/, needs: 'editor', valued: 'ugphCTDR', strict: true, only: '-e --edit', form: CHANGE },
  {
    programs: /^systemctl$/,
    needs: 'editor',
    verb: /^edit$/,
    unless: '--stdin',
    form: 'Write /etc/systemd/system/UNIT.d/override.conf, and run `systemctl daemon-reload`.',
  },
  {
    ...GIT,
    needs: 'editor',
    verb: /^commit$/,
    valued: 'mFCct --message --file --author --date',
    unless: '-m -F -C -h --message --file --reuse-message --no-edit --fixup --dry-run',
    form: "Use `git commit -m 'MESSAGE'`, or --no-edit with --amend.",
  },
  {
    ...GIT,
    needs: 'editor',
    verb: /^tag$/,
    valued: 'mFu --message --file',
    only: '-a -s -u --annotate --sign',
    unless: '-m -F -d -l -v --message --file --delete --list --verify',
    form: "Use `git tag -a NAME -m 'MESSAGE'`.",
  },
  {
    ...GIT,
    needs: 'editor',
    verb: /^rebase$/,
    only: '-i --interactive --edit-todo',
    form: 'Use `GIT_SEQUENCE_EDITOR="sed -i s/^pick/fixup/" git rebase -i BASE`, or `git reset --soft BASE` and a new commit.',
  },
  { ...GIT, needs: 'editor', verb: /^(cherry-pick|merge|revert)$/, only: '-e --edit', form: 'Leave the option out.' },
  { ...GIT, needs: 'editor', verb: /^config$/, only: '-e --edit', form: 'Use `git config KEY VALUE`.' },
  {
    ...GIT,
    needs: 'editor',
    verb: /^branch$/,
    only: '--edit-description',
    form: 'Use `git config branch.NAME.description TEXT`.',
  },
  {
    ...GIT,
    needs: 'answer',
    verb: /^(add|checkout|restore|reset|stash|commit)$/,
    valued: 'm --message',
    only: '-p --patch --interactive',
    when: ({ operands }) => operands[0] !== 'show',
    form: 'Name the files, as in `git add FILE`, or use `git apply --cached PATCH`.',
  },
  { ...GIT, needs: 'answer', verb: /^(add|clean)$/, only: '-i', form: 'Name the files, as in `git add FILE`.' },
  {
    programs: /^(svn|hg)$/,
    needs: 'editor',
    verb: /^(commit|ci)$/,
    unless: '-m -F -l --message --file --logfile',
    form: "Give -m 'MESSAGE'.",
  },
  { programs: /^apt$/, needs: 'editor', verb: /^edit-sources$/, form: 'Write a file in /etc/apt/sources.list.d.' },
  {
    programs: /^(kubectl|oc)$/,
    needs: 'editor',
    before: 'n --namespace --context --kubeconfig',
    verb: /^edit$/,
    form: 'Use `kubectl apply -f FILE` or `kubectl patch`.',
  },
  { programs: /^virsh$/, needs: 'editor', before: 'c', verb: /^(net-|pool-)?edit$/, form: 'Use `virsh define FILE`.' },
  {
    programs: /^ansible-vault$/,
    needs: 'editor',
    verb: /^(edit|create)$/,
    form: 'Use `ansible-vault encrypt FILE --vault-password-file PASSWORDS`.',
  },
];
