import type { How, Waiting } from './waiting.ts';

const assumed = ({ call }: How): boolean => !call.args.some(({ text }) => /assume-yes/i.test(text));

/** pacman(8): -S with -s, -i, -g, -l or -p only shows something, and -R has an -s of its own. */
function pacmanAsks({ has, operands }: How): boolean {
  if (has('-S', '--sync')) {
    if (has('-s', '-i', '-g', '-l', '-p', '--search', '--info', '--groups', '--list', '--print')) return false;
    return operands.length > 0 || has('-u', '-c', '--sysupgrade', '--clean');
  }
  return has('-R', '-U', '--remove', '--upgrade') && !has('-p', '--print');
}

/** What changes the software of a machine, and asks before it does. */
export const packages: readonly Waiting[] = [
  {
    programs: /^apt(-get)?$/,
    needs: 'answer',
    before: 'oct',
    valued: 'oct',
    verb: /^(install|reinstall|remove|purge|upgrade|dist-upgrade|full-upgrade|autoremove|autopurge|build-dep|satisfy)$/,
    unless:
      '-y -s -qq --yes --assume-yes --assume-no --simulate --dry-run --just-print --recon --no-act --print-uris --trivial-only',
    when: assumed,
    form: 'Use `apt-get install -y PACKAGE`, or look before by `apt-get install -s PACKAGE`.',
  },
  {
    programs: /^aptitude$/,
    needs: 'answer',
    before: 'ot',
    valued: 'ot',
    verb: /^(install|reinstall|remove|purge|safe-upgrade|full-upgrade|upgrade|dist-upgrade)$/,
    unless: '-y -s --assume-yes --simulate',
    form: 'Use `aptitude install -y PACKAGE`.',
  },
  {
    programs: /^dpkg-reconfigure$/,
    needs: 'answer',
    valued: 'fp --frontend --priority',
    unless: '-f --frontend',
    form: 'Set the answers by debconf-set-selections, then `dpkg-reconfigure -f noninteractive PACKAGE`.',
  },
  {
    programs: /^(add-apt-repository|apt-add-repository)$/,
    needs: 'answer',
    unless: '-y -L -h --yes --list',
    form: 'Use `add-apt-repository -y REPOSITORY`.',
  },
  {
    programs: /^do-release-upgrade$/,
    needs: 'answer',
    unless: '-c -f -V -h --frontend --check-dist-upgrade-only',
    form: 'Use `do-release-upgrade -f DistUpgradeViewNonInteractive`.',
  },
  {
    programs: /^(yum|dnf[45]?|microdnf)$/,
    needs: 'answer',
    before: 'cde',
    verb: /^(install|localinstall|update|upgrade|upgrade-minimal|remove|erase|reinstall|downgrade|autoremove|distro-sync|swap|groupinstall|groupremove|builddep)$/,
    unless: '-y --assumeyes --assumeno',
    form: 'Use `dnf install -y PACKAGE`.',
  },
  {
    programs: /^(pacman|yay|paru)$/,
    needs: 'answer',
    valued: 'br',
    unless: '--noconfirm -h',
    when: pacmanAsks,
    form: 'Use `pacman -S --noconfirm PACKAGE`.',
  },
  {
    programs: /^zypper$/,
    needs: 'answer',
    before: 'cDRp --config --root',
    verb: /^(install|in|remove|rm|update|up|dup|dist-upgrade|patch|source-install|si|verify|ve)$/,
    unless: '-n -y -D --non-interactive --no-confirm --dry-run',
    form: 'Use `zypper -n install PACKAGE`.',
  },
  { programs: /^apk$/, needs: 'answer', only: '-i --interactive', form: 'Use `apk add PACKAGE`.' },
  {
    programs: /^pkg$/,
    needs: 'answer',
    verb: /^(install|delete|remove|upgrade|autoremove)$/,
    unless: '-y -n --yes --dry-run',
    form: 'Use `pkg install -y PACKAGE`.',
  },
  {
    programs: /^flatpak$/,
    needs: 'answer',
    verb: /^(install|uninstall|remove|update|upgrade)$/,
    unless: '-y --assumeyes --noninteractive',
    form: 'Use `flatpak install -y REF`.',
  },
  {
    programs: /^pip[\d.]*$/,
    needs: 'answer',
    verb: /^uninstall$/,
    unless: '-y --yes',
    form: 'Use `pip uninstall -y PACKAGE`.',
  },
  {
    programs: /^(npm|pnpm|yarn)$/,
    needs: 'answer',
    verb: /^init$/,
    unless: '-y --yes',
    operands: [0, 0],
    form: 'Use `npm init -y`.',
  },
  {
    programs: /^npm$/,
    needs: 'answer',
    verb: /^(login|adduser)$/,
    form: 'Set the token by `npm config set //registry.npmjs.org/:_authToken TOKEN`.',
  },
  {
    programs: /^(conda|mamba)$/,
    needs: 'answer',
    verb: /^(install|create|remove|update)$/,
    unless: '-y -h --yes',
    form: 'Use `conda install -y PACKAGE`.',
  },
  { programs: /^emerge$/, needs: 'answer', only: '-a --ask', form: 'Leave --ask out.' },
];
