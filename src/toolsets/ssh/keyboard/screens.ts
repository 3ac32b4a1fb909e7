import type { How, Waiting } from './waiting.ts';

const ONCE = 'Use `top -b -n 1`.';
const LIST = 'Use `ls -la DIR` or `find DIR`.';
const DETACHED = "Use `tmux new-session -d -s NAME 'COMMAND'`, and `tmux capture-pane -p -t NAME` to look.";
const CONTAINER = 'Leave -t out: `docker exec CONTAINER COMMAND`, with -i only when stdin is given.';
const RUN_VALUES =
  'acehlmpuvw --add-host --cap-add --cap-drop --cpus --device --dns --entrypoint --env --env-file --expose --gpus ' +
  '--group-add --hostname --ip --ipc --label --link --log-driver --log-opt --memory --mount --name --net --network --pid ' +
  '--platform --publish --pull --restart --runtime --security-opt --shm-size --stop-signal --sysctl --tmpfs --ulimit --user ' +
  '--volume --volumes-from --workdir --detach-keys';

const onTerminal = ({ has }: How): boolean =>
  has('-t', '--tty') && has('-i', '--interactive', '--stdin') && !has('-d', '--detach');

const seen = ({ call }: How): boolean => !call.caught;

/** What draws on a terminal, and is of no use without one. */
export const screens: readonly Waiting[] = [
  { programs: /^top$/, needs: 'screen', valued: 'dnpuUoEwFel', unless: '-b -h -v -l --batch --batch-mode', form: ONCE },
  { programs: /^(htop|btop|btm|bpytop|bashtop|gtop|gotop|nvtop)$/, needs: 'screen', unless: '-h -V -v', form: ONCE },
  { programs: /^ctop$/, needs: 'screen', unless: '-v -h', form: 'Use `docker stats --no-stream`.' },
  {
    programs: /^glances$/,
    needs: 'screen',
    unless: '--stdout --stdout-csv --stdout-json --stdout-apiless --export -w -s -V -h --stop-after',
    form: ONCE,
  },
  {
    programs: /^iotop(-c|-py)?$/,
    needs: 'screen',
    valued: 'ndpu',
    unless: '-b --batch -h',
    form: 'Use `iotop -b -n 2`.',
  },
  { programs: /^iftop$/, needs: 'screen', valued: 'ifFoLmsG', unless: '-t -h', form: 'Use `iftop -t -s 5`.' },
  { programs: /^nethogs$/, needs: 'screen', unless: '-t -V -h', form: 'Use `nethogs -t -c 5`.' },
  {
    programs: /^(nload|bmon|iptraf|iptraf-ng|bwm-ng|slurm)$/,
    needs: 'screen',
    unless: '-o -h -V',
    form: 'Use `ip -s link`.',
  },
  { programs: /^slabtop$/, needs: 'screen', unless: '-o --once -h -V', form: 'Use `slabtop -o`.' },
  {
    programs: /^powertop$/,
    needs: 'screen',
    unless: '-C -r -t -V -h --csv --html --time --calibrate --auto-tune',
    form: 'Use `powertop --csv=FILE`.',
  },
  { programs: /^nmon$/, needs: 'screen', unless: '-f -F -x -X -z -h -V', form: 'Use `nmon -f -s 1 -c 10`.' },
  {
    programs: /^perf$/,
    needs: 'screen',
    verb: /^top$/,
    unless: '--stdio',
    form: 'Use `perf record -a sleep 5` and `perf report --stdio`.',
  },
  {
    programs: /^mtr$/,
    needs: 'screen',
    unless: '-r -w -C -j -x -l -h -v --report --report-wide --csv --json --xml --raw --split -p',
    form: 'Use `mtr -r -c 5 HOST`.',
  },
  // MinIO's client has the name of Midnight Commander, and verbs.
  {
    programs: /^mc$/,
    needs: 'screen',
    unless: '-V -h -F',
    when: ({ operands }) => operands.every((one) => /[./~]/.test(one)),
    form: LIST,
  },
  { programs: /^(ranger|nnn|vifm|yazi|lf)$/, needs: 'screen', unless: '-V -h --debug --clear-cache', form: LIST },
  {
    programs: /^ncdu$/,
    needs: 'screen',
    valued: 'oX',
    unless: '-o -v -V -h',
    form: 'Use `du -xh -d 1 DIR | sort -h`.',
  },
  {
    programs: /^(tig|lazygit|gitui)$/,
    needs: 'screen',
    unless: '-v -h -c -cd --bugreport',
    form: 'Use `git log -n 20`.',
  },
  {
    programs: /^(k9s|lazydocker)$/,
    needs: 'screen',
    unless: '-h --config',
    form: 'Use `kubectl get pods -A` or `docker ps`.',
  },
  {
    programs: /^(pgcli|mycli|litecli|ipython3?)$/,
    needs: 'screen',
    unless: '-c -e -l -h --list',
    operands: [0, 0],
    form: "Use `psql -c 'SQL'` or the like.",
  },
  { programs: /^tmux$/, needs: 'screen', before: 'cfLST', verb: /^(a|at|att.*)$/, form: DETACHED },
  {
    programs: /^tmux$/,
    needs: 'screen',
    before: 'cfLST',
    valued: 'ceFfnstxy',
    verb: /^new(-session)?$/,
    unless: '-d -P',
    form: DETACHED,
  },
  { programs: /^tmux$/, needs: 'screen', valued: 'cfLST', unless: '-V -c -C -h', operands: [0, 0], form: DETACHED },
  {
    programs: /^screen$/,
    needs: 'screen',
    valued: 'cehpSt',
    unless: '-m -ls -list -wipe -X -Q -v -version -h',
    when: ({ call, has }) => call.args.length === 0 || has('-r', '-R', '-x', '-S'),
    form: 'Use `screen -dmS NAME COMMAND`, and `screen -S NAME -X hardcopy FILE` to look.',
  },
  {
    programs: /^(dialog|whiptail)$/,
    needs: 'screen',
    unless: '--print-maxsize --print-version --clear --create-rc -v',
    form: 'Give the answers as arguments or variables.',
  },
  { programs: /^(nmtui(-\w+)?)$/, needs: 'screen', form: 'Use `nmcli`.' },
  {
    programs: /^(cfdisk|cgdisk)$/,
    needs: 'screen',
    unless: '-V -h -P',
    form: 'Use `sfdisk --dump DISK` or `parted -s DISK print`.',
  },
  { programs: /^alsamixer$/, needs: 'screen', form: 'Use `amixer`.' },
  {
    programs: /^raspi-config$/,
    needs: 'screen',
    when: ({ operands }) => operands[0] !== 'nonint',
    form: 'Use `raspi-config nonint FUNCTION`.',
  },
  {
    programs: /^aptitude$/,
    needs: 'screen',
    operands: [0, 0],
    unless: '-h -V -u -i',
    form: 'Use `apt-get install -y PACKAGE`.',
  },
  {
    programs: /^tasksel$/,
    needs: 'screen',
    operands: [0, 0],
    unless: '-t --list-tasks --task-packages --task-desc',
    form: 'Use `tasksel install TASK`.',
  },
  { programs: /^dselect$/, needs: 'screen', operands: [0, 0], form: 'Use `apt-get install -y PACKAGE`.' },
  {
    programs: /^make$/,
    needs: 'screen',
    valued: 'Cfj',
    verb: /^(menuconfig|nconfig)$/,
    form: 'Use `make olddefconfig`.',
  },
  {
    programs: /^(lynx|w3m|e?links)$/,
    needs: 'screen',
    unless: '-dump -source -dump_source -dump_head -dump_extra -crawl -head -version -V',
    when: seen,
    form: 'Use `curl -s URL` or `lynx -dump URL`.',
  },
  {
    programs: /^(less|more|most)$/,
    needs: 'screen',
    valued: 'bhjoOpPtTxyz',
    unless: '-V -?',
    operands: [1, Number.POSITIVE_INFINITY],
    when: seen,
    form: 'Use `cat FILE`, `head -n 100 FILE` or `tail -n 100 FILE`.',
  },
  { programs: /^multitail$/, needs: 'screen', form: 'Use `tail -n 100 FILE`.' },
  {
    programs: /^watch$/,
    needs: 'screen',
    strict: true,
    valued: 'nqs',
    unless: '-h -v',
    form: 'Run the command itself, once or in a loop that ends.',
  },
  {
    programs: /^(minicom|picocom|cu)$/,
    needs: 'screen',
    unless: '-S -h -v',
    form: 'Write to the device, and read it by `timeout 5 cat DEVICE`.',
  },
  {
    programs: /^(docker|podman|nerdctl)$/,
    needs: 'screen',
    before: 'Hlc --host --context --config',
    verb: /^exec$/,
    valued: 'euw --env --env-file --user --workdir --detach-keys',
    strict: true,
    when: onTerminal,
    form: CONTAINER,
  },
  {
    programs: /^(docker|podman|nerdctl)$/,
    needs: 'screen',
    before: 'Hlc --host --context --config',
    verb: /^run$/,
    valued: RUN_VALUES,
    strict: true,
    when: onTerminal,
    form: 'Leave -t out: `docker run --rm IMAGE COMMAND`, or add -d.',
  },
  {
    programs: /^(kubectl|oc)$/,
    needs: 'screen',
    before: 'n --namespace --context --kubeconfig',
    verb: /^(exec|run|attach)$/,
    valued: 'ncf --container --image --namespace',
    when: onTerminal,
    form: 'Leave -t out: `kubectl exec POD -- COMMAND`.',
  },
  {
    programs: /^qm$/,
    needs: 'screen',
    verb: /^terminal$/,
    form: 'Use ssh_exec with target vm/VMID, or `qm guest exec VMID -- COMMAND`.',
  },
  {
    programs: /^pct$/,
    needs: 'screen',
    verb: /^(enter|console)$/,
    form: 'Use pct_exec, or `pct exec VMID -- COMMAND`.',
  },
  { programs: /^lxc-console$/, needs: 'screen', form: 'Use `lxc-attach -n NAME -- COMMAND`.' },
  {
    programs: /^(virsh|lxc|incus|xl)$/,
    needs: 'screen',
    before: 'c',
    verb: /^console$/,
    form: 'Reach the guest by SSH, or by its agent.',
  },
  { programs: /^machinectl$/, needs: 'screen', verb: /^login$/, form: 'Use `systemd-run -M NAME --pipe COMMAND`.' },
  { programs: /^mosh$/, needs: 'screen', form: 'Use `ssh HOST COMMAND`.' },
  { programs: /^login$/, needs: 'screen', unless: '-h', form: 'Give the tool `user`.' },
];
