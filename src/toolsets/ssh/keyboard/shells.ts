import { sshOptions, startedBy } from './calls.ts';
import type { How, Waiting } from './waiting.ts';

const SQL = "Use `mysql -e 'SQL' DATABASE`, or give the SQL as stdin.";
const PASSWORD = 'Give the password as the variable MYSQL_PWD (env), and leave the option out.';

const noScript = ({ operands }: How): boolean =>
  operands.length === 0 || (operands.length === 1 && operands[0] === '-');
const nothingBehind = ({ call }: How): boolean => startedBy(call).length === 0;

/** What reads commands from standard input when it is given none otherwise. */
export const shells: readonly Waiting[] = [
  {
    programs: /^ssh$/,
    needs: 'answer',
    when: ({ call: { args } }) => {
      const { given, operands, open } = sshOptions(args);
      return (
        operands.length === 1 &&
        !open &&
        !['-N', '-f', '-W', '-O', '-V', '-Q', '-G', '-s'].some((one) => given.has(one))
      );
    },
    form: 'Use `ssh HOST COMMAND`; a host that is known here is a target of its own.',
  },
  {
    programs: /^telnet$/,
    needs: 'answer',
    form: 'Use `curl -sv telnet://HOST:PORT </dev/null` or `nc -zv HOST PORT`.',
  },
  {
    programs: /^sftp$/,
    needs: 'answer',
    valued: 'BbcDFiJloPRSs',
    unless: '-b',
    operands: [1, 1],
    when: ({ operands }) => !/[^:]:./.test(operands[0] ?? ''),
    form: 'Use `scp FILE HOST:FILE`, or ssh_file_upload and ssh_file_download.',
  },
  { programs: /^lftp$/, needs: 'answer', unless: '-c -e -f', form: "Use `lftp -c 'COMMANDS'`." },
  {
    programs: /^ftp$/,
    needs: 'answer',
    operands: [0, 2],
    when: ({ operands }) => !operands[0]?.includes('://'),
    form: 'Use `curl -s ftp://HOST/FILE`.',
  },
  {
    programs: /^smbclient$/,
    needs: 'answer',
    unless: '-c -L -V -M -T --command --list',
    form: "Use `smbclient //HOST/SHARE -A FILE -c 'COMMANDS'`.",
  },
  {
    programs: /^(mysql|mariadb)$/,
    needs: 'answer',
    valued: 'uhPSD ?p --user --host --port --database --socket',
    unless: '-e -V -? -I --execute --print-defaults',
    form: SQL,
  },
  {
    programs: /^(mysql|mariadb|mysqldump|mariadb-dump|mysqladmin|mariadb-admin|mysqlcheck|mariadb-check|mysqlimport)$/,
    needs: 'answer',
    when: ({ call }) => call.args.some(({ text }) => text === '-p' || text === '--password'),
    form: PASSWORD,
  },
  {
    programs: /^psql$/,
    needs: 'answer',
    valued: 'dhpUvFPRTLo --dbname --host --port --username',
    unless: '-c -f -l -V -? --command --file --list',
    form: "Use `psql -c 'SQL' DATABASE`, or give the SQL as stdin.",
  },
  {
    programs: /^sqlite3?$/,
    needs: 'answer',
    valued: ' -cmd -separator -nullvalue -newline -mmap -vfs -maxsize -lookaside -pagecache',
    unless: '-version -help -init',
    operands: [0, 1],
    form: "Use `sqlite3 FILE 'SQL'`, or give the SQL as stdin.",
  },
  {
    programs: /^duckdb$/,
    needs: 'answer',
    valued: ' -c -s -f -init',
    unless: '-c -s -f -version -help',
    operands: [0, 1],
    form: "Use `duckdb FILE -c 'SQL'`.",
  },
  {
    programs: /^(redis|valkey|keydb)-cli$/,
    needs: 'answer',
    valued: 'hpsanriudDXt --user --pass --cacert --cert --key --sni --cacertdir',
    unless:
      '-v -x -X --scan --stat --bigkeys --memkeys --hotkeys --latency --latency-history --latency-dist --pipe --eval ' +
      '--cluster --rdb --functions-rdb --intrinsic-latency --lru-test --replica --slave',
    operands: [0, 0],
    form: 'Use `redis-cli COMMAND`.',
  },
  {
    programs: /^(mongosh|mongo)$/,
    needs: 'answer',
    unless: '-f -h --eval --file --shell',
    when: ({ operands }) => !operands.some((one) => /\.(m?js|mongodb)$/.test(one)),
    form: "Use `mongosh --quiet --eval 'CODE' URI`.",
  },
  { programs: /^cqlsh$/, needs: 'answer', unless: '-e -f --execute --file', form: "Use `cqlsh -e 'CQL'`." },
  {
    programs: /^clickhouse-client$/,
    needs: 'answer',
    unless: '-q --query --queries-file',
    form: "Use `clickhouse-client -q 'SQL'`.",
  },
  {
    programs: /^influx$/,
    needs: 'answer',
    operands: [0, 0],
    unless: '-execute -version',
    form: 'Use `influx query FLUX`.',
  },
  {
    programs: /^(python|pypy)[\d.]*$/,
    needs: 'answer',
    valued: 'cmWX',
    unless: '-c -m -V -h -VV',
    when: noScript,
    form: "Use `python3 -c 'CODE'` or `python3 FILE`, or give the code as stdin.",
  },
  {
    programs: /^node(js)?$/,
    needs: 'answer',
    valued: 'eprC --require --import --loader',
    unless: '-e -p -v -h -c --eval --print --check --test --run --v8-options',
    when: noScript,
    form: "Use `node -e 'CODE'` or `node FILE`, or give the code as stdin.",
  },
  { programs: /^deno$/, needs: 'answer', operands: [0, 0], unless: '-V -h', form: "Use `deno eval 'CODE'`." },
  {
    programs: /^(irb|pry|iex|jshell|ghci|sbcl|julia)$/,
    needs: 'answer',
    operands: [0, 0],
    unless: '-e -E -v -h --eval --load --script',
    form: 'Give it a script, or the code as stdin.',
  },
  { programs: /^php[\d.]*$/, needs: 'answer', only: '-a --interactive', form: "Use `php -r 'CODE'`." },
  {
    programs: /^php[\d.]*$/,
    needs: 'answer',
    when: ({ call }) => call.args.length === 0,
    form: "Use `php -r 'CODE'` or `php FILE`.",
  },
  {
    programs: /^perl$/,
    needs: 'answer',
    unless: '-e -E -v -V -h',
    when: noScript,
    form: "Use `perl -e 'CODE'` or `perl FILE`.",
  },
  { programs: /^perl$/, needs: 'answer', only: '-de0 -de1 -debug', form: "Use `perl -e 'CODE'`." },
  {
    programs: /^ruby$/,
    needs: 'answer',
    unless: '-e -v -h',
    when: noScript,
    form: "Use `ruby -e 'CODE'` or `ruby FILE`.",
  },
  {
    programs: /^lua(jit)?[\d.]*$/,
    needs: 'answer',
    unless: '-e -v',
    when: noScript,
    form: "Use `lua -e 'CODE'` or `lua FILE`.",
  },
  {
    programs: /^(tclsh|wish)[\d.]*$/,
    needs: 'answer',
    when: noScript,
    form: 'Give it a script, or the code as stdin.',
  },
  {
    programs: /^R$/,
    needs: 'answer',
    unless: '-e -f --file --slave --no-echo',
    operands: [0, 0],
    form: "Use `Rscript -e 'CODE'`.",
  },
  {
    programs: /^(bc|dc)$/,
    needs: 'answer',
    unless: '-e -f -v -h --expression --file',
    operands: [0, 0],
    form: "Use `echo '1 + 2' | bc`.",
  },
  {
    programs: /^gdb$/,
    needs: 'answer',
    unless: '-ex -x -batch -v --batch --ex --command --eval-command',
    form: "Use `gdb -p PID -batch -ex 'bt'`.",
  },
  {
    programs: /^((ba|da|z|a|k|mk|tc|c|fi)?sh)$/,
    needs: 'answer',
    valued: 'oO --rcfile --init-file',
    unless: '-c --command --dump-strings',
    operands: [0, 0],
    form: "Use `sh -c 'COMMANDS'`, or give the commands as stdin; ssh_session_open keeps a shell.",
  },
  {
    programs: /^su$/,
    needs: 'answer',
    valued: 'cgGsw',
    unless: '-c -V -h --command --session-command',
    when: ({ operands }) => operands.filter((one) => one !== '-').length < 2,
    form: "Give the tool `user`, or use `su USER -c 'COMMAND'`.",
  },
  {
    programs: /^(sudo|doas)$/,
    needs: 'answer',
    valued: 'ugphCTDR',
    strict: true,
    only: '-s -i --shell --login',
    when: nothingBehind,
    form: 'Use ssh_sudo_exec, or `sudo COMMAND`.',
  },
  { programs: /^newgrp$/, needs: 'answer', form: "Use `sg GROUP 'COMMAND'`." },
  {
    programs: /^lxc-attach$/,
    needs: 'answer',
    strict: true,
    valued: 'nPfosvu --name',
    when: nothingBehind,
    form: 'Use `lxc-attach -n NAME -- COMMAND`.',
  },
  {
    programs: /^chroot$/,
    needs: 'answer',
    strict: true,
    unless: '-h',
    operands: [1, 1],
    form: 'Use `chroot DIR COMMAND`.',
  },
  {
    programs: /^qm$/,
    needs: 'answer',
    verb: /^monitor$/,
    form: "Give its commands as stdin: `echo 'info status' | qm monitor VMID`.",
  },
  {
    programs: /^virsh$/,
    needs: 'answer',
    valued: 'c',
    unless: '-v -V -h',
    operands: [0, 0],
    form: 'Use `virsh COMMAND`.',
  },
  {
    programs: /^(parted|fdisk|gdisk)$/,
    needs: 'answer',
    operands: [0, 0],
    unless: '-l -s -v -V -h -x --list --script',
    form: 'Use `parted -s DISK print` or `sfdisk --dump DISK`.',
  },
  {
    programs: /^openssl$/,
    needs: 'answer',
    operands: [0, 0],
    when: ({ call }) => call.args.length === 0,
    form: 'Use `openssl COMMAND`.',
  },
  {
    programs: /^docker$/,
    needs: 'answer',
    verb: /^attach$/,
    form: 'Use `docker logs --tail 100 CONTAINER` or `docker exec CONTAINER COMMAND`.',
  },
];
