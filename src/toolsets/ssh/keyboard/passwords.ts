import type { How, Waiting } from './waiting.ts';

const says =
  (...words: string[]) =>
  ({ call }: How): boolean =>
    call.args.some(({ text }) => words.includes(text));
const lacks =
  (...words: string[]) =>
  (how: How): boolean =>
    !says(...words)(how);

const BATCH = 'Use --batch with --passphrase-file or a key without a passphrase.';

/** What asks for a password, a passphrase, or what goes into a key or an account. */
export const passwords: readonly Waiting[] = [
  {
    programs: /^passwd$/,
    needs: 'answer',
    unless: '-l -u -d -e -S -n -x -w -i -a -h --stdin --status --lock --unlock --delete --expire --maxdays --mindays',
    form: 'Use `chpasswd` with USER:PASSWORD as stdin.',
  },
  {
    programs: /^smbpasswd$/,
    needs: 'answer',
    unless: '-s -x -d -e -n -h',
    form: 'Use `smbpasswd -s USER` with the password twice as stdin.',
  },
  {
    programs: /^htpasswd$/,
    needs: 'answer',
    unless: '-b -i -D',
    form: 'Use `htpasswd -i FILE USER` with the password as stdin.',
  },
  {
    programs: /^gpasswd$/,
    needs: 'answer',
    unless: '-a -d -r -R -A -M -h --add --delete',
    form: 'Use `gpasswd -a USER GROUP`.',
  },
  {
    programs: /^mkpasswd$/,
    needs: 'answer',
    valued: 'mSR',
    operands: [0, 0],
    unless: '-s -P -h -V --stdin',
    form: 'Use `mkpasswd -m sha-512 -s` with the password as stdin.',
  },
  {
    programs: /^pveum$/,
    needs: 'answer',
    verb: /^passwd$/,
    form: 'Give the password twice as stdin, or use pve_api_call with PUT /access/password.',
  },
  {
    programs: /^pvecm$/,
    needs: 'answer',
    verb: /^add$/,
    unless: '--use_ssh -use_ssh',
    form: 'Use `pvecm add ADDRESS --use_ssh`, or give the password as stdin.',
  },
  { programs: /^chsh$/, needs: 'answer', unless: '-s -l -h --shell', form: 'Use `chsh -s SHELL USER`.' },
  { programs: /^chfn$/, needs: 'answer', unless: '-f -r -w -h -o -p', form: 'Use `chfn -f NAME USER`.' },
  {
    programs: /^(kinit|kpasswd)$/,
    needs: 'answer',
    unless: '-k -t -R -V -n --keytab',
    form: 'Use `kinit -k -t KEYTAB PRINCIPAL`.',
  },
  {
    programs: /^ldap(search|add|modify|delete|whoami|passwd)$/,
    needs: 'answer',
    valued: 'HDbsfwyY',
    only: '-W',
    form: 'Use -y FILE in the place of -W.',
  },
  {
    programs: /^adduser$/,
    needs: 'answer',
    valued: 'hgsGuk --home --shell --uid --gid --ingroup --gecos --comment --conf --firstuid --lastuid',
    unless: '-D -S -r -m -M -c -d --system --disabled-password --disabled-login --group',
    operands: [1, 1],
    form: "Use `adduser --disabled-password --gecos '' USER`, or `useradd -m -s /bin/bash USER`.",
  },
  {
    programs: /^adduser$/,
    needs: 'answer',
    valued: ' --home --shell --uid --gid --ingroup --conf',
    only: '--disabled-password --disabled-login',
    unless: '--gecos --comment --system',
    form: "Use `adduser --disabled-password --gecos '' USER`.",
  },
  {
    programs: /^ssh-keygen$/,
    needs: 'answer',
    valued: 'abCEfFiIKmMnNOPRrstVwYzZ',
    unless: '-l -y -R -F -H -e -i -p -B -D -K -Q -k -s -A -M -Y -L -c',
    when: ({ has }) => !has('-N') || !has('-f'),
    form: "Use `ssh-keygen -t ed25519 -N '' -f FILE`.",
  },
  {
    programs: /^ssh-keygen$/,
    needs: 'answer',
    valued: 'fNP',
    only: '-p',
    unless: '-N',
    form: "Use `ssh-keygen -p -f FILE -P 'OLD' -N 'NEW'`.",
  },
  {
    programs: /^gpg2?$/,
    needs: 'answer',
    only:
      '--gen-key --generate-key --full-gen-key --full-generate-key --edit-key --delete-key --delete-keys --delete-secret-key ' +
      '--delete-secret-keys --delete-secret-and-public-key --sign-key --lsign-key --passwd --change-passphrase --card-edit ' +
      '--edit-card --symmetric --gen-revoke --generate-revocation',
    unless: '--batch --passphrase --passphrase-file --passphrase-fd --command-fd --command-file',
    form: BATCH,
  },
  {
    programs: /^gpg2?$/,
    needs: 'answer',
    when: says('-c'),
    unless: '--batch --passphrase --passphrase-file --passphrase-fd',
    form: BATCH,
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^req$/,
    only: '-new -x509 -newkey',
    unless: '-subj -batch -config -help',
    form: "Use `openssl req -new -key FILE -subj '/CN=NAME' -out FILE`.",
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^req$/,
    only: '-newkey',
    when: lacks('-nodes', '-noenc', '-passout', '-config', '-help'),
    form: "Use `openssl req -x509 -newkey rsa:4096 -noenc -subj '/CN=NAME' -keyout FILE -out FILE`.",
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^enc$/,
    when: lacks('-k', '-K', '-pass', '-kfile', '-list', '-ciphers', '-help', '-base64', '-a'),
    form: 'Use `openssl enc -aes-256-cbc -pbkdf2 -pass file:FILE`.',
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^(genrsa|genpkey)$/,
    when: (how) =>
      says('-aes128', '-aes192', '-aes256', '-aes-256-cbc', '-des3')(how) && lacks('-passout', '-pass')(how),
    form: 'Use -passout file:FILE, or no cipher.',
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^pkcs12$/,
    when: lacks('-passin', '-passout', '-password', '-pass', '-help'),
    form: 'Use -passin file:FILE and -passout file:FILE.',
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    verb: /^passwd$/,
    valued: ' -salt -in',
    operands: [0, 0],
    when: lacks('-stdin', '-in', '-help'),
    form: 'Use `openssl passwd -6 -stdin` with the password as stdin.',
  },
  {
    programs: /^cryptsetup$/,
    needs: 'answer',
    valued: ' --type --cipher --hash',
    unless: '-d --key-file',
    verb: /^(luksFormat|luksOpen|open|luksAddKey|luksChangeKey|luksRemoveKey)$/,
    form: 'Use `cryptsetup -q open --key-file FILE DEVICE NAME`.',
  },
  {
    programs: /^(docker|podman)$/,
    needs: 'answer',
    verb: /^login$/,
    unless: '-p --password --password-stdin --get-login',
    form: 'Use `docker login -u USER --password-stdin` with the password as stdin.',
  },
  {
    programs: /^ansible(-playbook)?$/,
    needs: 'answer',
    valued: 'imMabuelfct',
    only: '-K -k -J --ask-become-pass --ask-pass --ask-vault-pass',
    form: 'Use a password file, as --vault-password-file FILE.',
  },
  {
    programs: /^aws$/,
    needs: 'answer',
    verb: /^configure$/,
    operands: [0, 0],
    form: 'Use `aws configure set KEY VALUE`.',
  },
  {
    programs: /^gh$/,
    needs: 'answer',
    verb: /^auth$/,
    unless: '--with-token',
    when: ({ operands }) => operands[0] === 'login',
    form: 'Use `gh auth login --with-token` with the token as stdin.',
  },
];
