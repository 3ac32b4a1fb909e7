import { behind, type Waiting } from './waiting.ts';

/** What asks whether it may go on, or reads an answer of some other kind. */
export const questions: readonly Waiting[] = [
  {
    programs: /^read$/,
    needs: 'answer',
    valued: 'adinNptu',
    unless: '-t -u',
    when: ({ call }) => call.top,
    form: 'Set the variable (env), or give what it reads as stdin.',
  },
  { programs: /^select$/, needs: 'answer', form: 'Set the variable (env), or give the answer as stdin.' },
  {
    programs: /^(rm)$/,
    needs: 'answer',
    only: '-i -I --interactive',
    unless: '-f --force',
    when: ({ call }) => call.args.every(({ text }) => text !== '--interactive=never'),
    form: 'Leave the option out: `rm FILE`.',
  },
  {
    programs: /^(cp|mv|ln)$/,
    needs: 'answer',
    valued: 'tS',
    only: '-i --interactive',
    unless: '-f -n --force --no-clobber',
    form: 'Leave the option out, or use `cp -n FROM TO` to keep what is there.',
  },
  {
    programs: /^ufw$/,
    needs: 'answer',
    verb: /^(enable|reset|delete)$/,
    unless: '--force --dry-run',
    when: ({ operands }) => operands.length === 0 || /^\d+$/.test(operands.join(' ')),
    form: 'Use `ufw --force enable`.',
  },
  {
    programs: /^(lv|vg)(remove|reduce)$/,
    needs: 'answer',
    unless: '-f -y -t -h -qq --force --yes --test',
    form: 'Use `lvremove -y VG/LV`.',
  },
  {
    programs: /^parted$/,
    needs: 'answer',
    valued: 'a',
    unless: '-s -l -v -h --script --list',
    operands: [1, Number.POSITIVE_INFINITY],
    when: ({ operands }) =>
      operands.length === 1 || operands.some((one) => /^(mklabel|mktable|mkpart|rm|resizepart|rescue)$/.test(one)),
    form: 'Use `parted -s DISK print` and the like.',
  },
  {
    programs: /^(fdisk|gdisk)$/,
    needs: 'answer',
    valued: 'bBotwWCHS',
    unless: '-l -x -s -v -V -h --list --list-details',
    operands: [1, 9],
    form: 'Use `sfdisk --dump DISK`, `parted -s DISK print`, or give the commands as stdin.',
  },
  {
    programs: /^sfdisk$/,
    needs: 'answer',
    operands: [1, 1],
    when: ({ given }) => given.size === 0,
    form: 'Give the partitions as stdin, or use `sfdisk --dump DISK`.',
  },
  {
    programs: /^(mysql_secure_installation|mariadb-secure-installation|pveupgrade|tzselect|select-editor)$/,
    needs: 'answer',
    unless: '--shell --use-default',
    form: 'Run the commands it would run, or give the answers as stdin.',
  },
  {
    programs: /^(docker|podman)$/,
    needs: 'answer',
    verb: /^(system|image|container|volume|network|builder|buildx)$/,
    unless: '-f --force',
    when: ({ operands }) => operands[0] === 'prune',
    form: 'Use `docker system prune -f`.',
  },
  {
    programs: /^(terraform|tofu)$/,
    needs: 'answer',
    verb: /^(apply|destroy)$/,
    operands: [0, 0],
    unless: '-auto-approve --auto-approve -input -help',
    form: 'Use `terraform plan -out FILE`, and `terraform apply FILE`.',
  },
  {
    programs: /^rclone$/,
    needs: 'answer',
    verb: /^config$/,
    operands: [0, 0],
    form: 'Use `rclone config create NAME TYPE`.',
  },
  {
    programs: /^at$/,
    needs: 'answer',
    valued: 'qft',
    unless: '-f -l -c -d -r -V',
    form: "Use `echo 'COMMAND' | at now + 1 minute`.",
  },
  {
    programs: /^docker(-compose)?$/,
    needs: 'answer',
    when: (how) =>
      how.operands[how.call.program === 'docker' ? 1 : 0] === 'rm' &&
      (how.call.program !== 'docker' || how.operands[0] === 'compose') &&
      !behind('rm', '-f', '-sf', '-fs', '--force')(how),
    form: 'Use `docker compose rm -sf`.',
  },
];
