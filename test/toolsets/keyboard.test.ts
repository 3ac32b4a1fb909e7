import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { refuseKeyboard, type Unattended } from '../../src/toolsets/ssh/keyboard.ts';

/** Why a command is refused; undefined when it is let through. */
function refusal(command: Unattended | string): Failure | undefined {
  try {
    refuseKeyboard(typeof command === 'string' ? { script: command } : command);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** What each line of a table is: a command. */
const lines = (table: string): string[] =>
  table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const refused = lines(`
  vi /etc/hosts
  vim +10 /etc/fstab
  sudo vim.tiny /etc/hosts
  nvim
  view /etc/hosts
  vimdiff a b
  nano -w /etc/network/interfaces
  pico notes
  joe notes
  emacs -nw init.el
  mcedit file
  ed /etc/passwd
  ex file
  sensible-editor file
  cd /etc && nano hosts
  EDIT=1 nano hosts
  env TERM=xterm nano hosts
  if true; then vi x; fi
  for f in *.conf; do nano "$f"; done
  sudo -u www-data nano index.php
  sudo -- bash -c 'nano /etc/hosts'
  sh -c "vi /etc/hosts"
  ssh pve2 'nano /etc/hosts'
  ssh -p 22 -o BatchMode=yes root@pve2 vi /etc/hosts
  su - postgres -c 'psql'
  eval "nano /etc/hosts"
  crontab -e
  crontab -u www-data -e
  crontab
  crontab -
  visudo
  visudo -f /etc/sudoers.d/me
  vipw
  sudoedit /etc/hosts
  sudo -e /etc/hosts
  systemctl edit nginx
  systemctl edit --full nginx
  git commit
  git -C /srv/app commit -a
  git commit --amend
  git rebase -i HEAD~3
  git add -p
  git add -i
  git checkout -p
  git stash push -p
  git clean -i
  git tag -a v1
  git config --global -e
  kubectl edit deploy web
  virsh edit vm1
  top
  top -n 1
  top -d 5
  timeout 5 top
  top | head -20
  htop
  btop
  glances
  iotop
  iotop -o
  iftop -i eth0
  nethogs
  slabtop
  powertop
  mtr 1.1.1.1
  watch -n 1 df -h
  watch 'zpool status'
  timeout 10 watch date
  less /var/log/syslog
  more /etc/passwd
  most file
  sudo less +F /var/log/syslog
  mc
  ncdu /
  tmux
  tmux attach -t main
  tmux a
  tmux new -s work
  screen
  screen -r work
  screen -S work
  dialog --yesno "Really?" 7 40
  whiptail --msgbox hello 8 40
  nmtui
  cfdisk /dev/sda
  raspi-config
  aptitude
  lynx https://example.org
  docker exec -it web bash
  docker exec -ti -u root web sh -c 'ls /'
  docker exec --interactive --tty web ls
  docker run -it --rm debian:12 bash
  docker run --rm -i -t -v /srv:/srv --name x debian ls
  podman run -it alpine
  kubectl exec -it pod -- sh
  docker exec web bash
  docker attach web
  qm terminal 100
  qm monitor 100
  pct enter 400
  pct console 400
  pct exec 400 -- bash
  pct exec 400 -- nano /etc/hosts
  lxc-attach -n 400
  lxc-attach -n 400 -- top
  virsh console vm1
  virsh
  ssh pve2
  ssh -p 2222 root@10.0.0.1
  ssh -i key -o StrictHostKeyChecking=no user@host
  telnet 10.0.0.1 25
  mosh host
  sftp user@host
  mysql
  mysql -u root
  mysql -u root -psecret appdb
  mariadb appdb
  mysql -u root -p -e 'select 1'
  mysqldump -u root -p appdb > dump.sql
  psql
  psql -U postgres -d app
  sudo -u postgres psql app
  sqlite3 /var/lib/app.db
  redis-cli
  redis-cli -h 10.0.0.1 -p 6379
  mongosh
  mongosh mongodb://localhost/app
  python3
  python3 -i
  python3 -
  node
  irb
  php -a
  lua
  perl
  bash
  bash -i
  bash --login
  sh
  exec bash
  bc
  gdb /bin/ls
  sudo -i
  sudo -s
  sudo su
  sudo su -
  su
  su - postgres
  passwd
  passwd root
  sudo passwd alice
  smbpasswd -a alice
  htpasswd -c .htpasswd alice
  openssl passwd -6
  openssl req -new -key k.pem -out r.csr
  openssl req -x509 -newkey rsa:4096 -keyout k -out c -subj /CN=x
  openssl enc -aes-256-cbc -in a -out b
  openssl pkcs12 -export -in c.pem -inkey k.pem -out b.p12
  gpg --full-generate-key
  gpg -c secrets.txt
  gpg --edit-key alice
  ssh-keygen
  ssh-keygen -t ed25519
  ssh-keygen -t ed25519 -f /root/.ssh/id
  adduser alice
  adduser --disabled-password alice
  cryptsetup luksOpen /dev/sdb1 data
  apt install nginx
  apt-get upgrade
  sudo apt full-upgrade
  apt-get -o Dpkg::Options::=--force-confold dist-upgrade
  apt-get update && apt-get install nginx
  apt remove --purge nginx
  apt autoremove
  DEBIAN_FRONTEND=noninteractive apt-get install nginx
  aptitude install nginx
  dpkg-reconfigure tzdata
  yum install httpd
  dnf upgrade
  dnf remove httpd
  pacman -Syu
  pacman -S nginx
  pacman -Rns nginx
  zypper install nginx
  zypper dup
  add-apt-repository ppa:x/y
  do-release-upgrade
  flatpak install org.x.Y
  pip uninstall requests
  npm init
  rm -i file
  rm -ri dir
  cp -i a b
  mv -i a b
  read -p "Continue? " answer
  echo hello; read x
  fdisk /dev/sda
  parted /dev/sda
  parted /dev/sda mklabel gpt
  ufw enable
  ufw delete 3
  lvremove /dev/vg/lv
  docker system prune
  docker volume prune -a
  docker login registry.example.org
  docker compose rm
  mysql_secure_installation
  terraform apply
  terraform destroy
  at now
  tail -f /var/log/syslog
  tail -n 50 -f /var/log/syslog
  tail -fn50 /var/log/syslog
  tail -F /var/log/syslog | grep error
  sudo tail -f /var/log/syslog
  journalctl -f
  journalctl -fu nginx
  journalctl -u nginx -n 20 --follow
  docker logs -f web
  docker logs --tail 10 --follow web
  docker compose logs -f
  docker compose -f x.yml logs -f web
  docker compose up
  docker stats
  kubectl logs -f pod
  kubectl get pods -w
  ping 1.1.1.1
  ping -i 2 pve2
  dmesg -w
  dmesg --follow
  vmstat 1
  iostat -x 2
  sar -u 1
  mpstat -P ALL 1
  zpool iostat -v tank 1
  top -b
  tcpdump -i eth0
  tcpdump -nn port 53 -w out.pcap
  free -s 1
  yes
  sleep infinity
  python3 -m http.server 8000
  ssh -N -L 8080:localhost:80 host
  ip monitor
  inotifywait -m /etc
`);

const passed = lines(String.raw`
  ls -la
  echo vi
  echo "vi /etc/hosts"
  echo 'use nano or vim' > README
  which nano
  command -v vim
  command -v vim >/dev/null 2>&1 && echo there
  type top
  hash less
  whereis vim nano
  dpkg -l vim nano less
  apt list --installed
  apt-cache policy vim
  apt search htop
  apt show nano
  apt update
  apt-get update
  apt-get update -qq
  apt-get install -y nginx
  apt-get -y install nginx
  apt-get -qq install nginx
  apt-get -qqy install nginx
  apt install -yq vim nano less htop
  sudo apt-get install --yes --no-install-recommends tmux
  DEBIAN_FRONTEND=noninteractive apt-get install -y -o Dpkg::Options::="--force-confold" mc
  apt-get -s upgrade
  apt-get --simulate dist-upgrade
  apt-get install --dry-run nginx
  apt-get -o APT::Get::Assume-Yes=true install nginx
  apt-get install $OPTIONS nginx
  yes | apt install nginx
  echo y | apt-get upgrade
  apt-get clean
  apt-get download nginx
  apt-mark hold vim
  dpkg -i package.deb
  dpkg --configure -a
  dpkg-reconfigure -f noninteractive tzdata
  DEBIAN_FRONTEND=noninteractive dpkg-reconfigure tzdata
  aptitude search nano
  aptitude -y install nano
  yum -y install httpd
  yum list installed
  dnf check-update
  dnf install -y htop
  dnf --assumeyes upgrade
  pacman -Q
  pacman -Ss nginx
  pacman -Syu --noconfirm
  pacman -Sy
  pacman -Qi vim
  zypper -n install vim
  zypper install -y vim
  zypper refresh
  apk add vim nano
  apk del vim
  snap install --classic code
  pip install requests
  pip uninstall -y requests
  npm install
  npm init -y
  npm ci && npm run build
  vim --version
  vim -es -c '%s/a/b/' -c wq file
  vim -c ':wq' file
  nvim --headless +qa
  nano --version
  emacs --batch -l script.el
  ed -s file <<< 'wq'
  printf 'g/x/d\nw\nq\n' | ed -s file
  ex -sc '%s/a/b/|x' file
  update-alternatives --set editor /usr/bin/vim.basic
  select-editor --help
  export EDITOR=vim
  git config --global core.editor vim
  EDITOR='tee -a' visudo
  GIT_EDITOR=true git commit --amend
  GIT_SEQUENCE_EDITOR="sed -i s/pick/fixup/" git rebase -i HEAD~2
  crontab -l
  crontab /etc/mycron
  (crontab -l 2>/dev/null; echo "0 3 * * * /usr/local/bin/backup") | crontab -
  crontab -r
  visudo -c
  visudo -cf /etc/sudoers.d/me
  systemctl status nginx
  systemctl cat nginx
  systemctl edit nginx --stdin < override.conf
  systemctl restart vim-server
  git status
  git commit -m "top of the list"
  git commit -am 'vi is nice'
  git commit -qm "Use less memory" -m "vim is not needed"
  git commit --amend --no-edit
  git commit -F message.txt
  git commit --fixup HEAD~1
  git log -p
  git stash show -p
  git diff
  git add .
  git add -A && git commit -m 'watch the top'
  git tag v1.0
  git tag -a v1 -m 'first'
  git rebase main
  git merge --no-ff feature
  git config --get user.name
  git -C /srv/app pull --ff-only
  top -b -n 1
  top -bn1 | head -20
  top -n1 -b
  top -b -n 1 -o %MEM | head
  ps aux --sort=-%mem | head
  htop --version
  pgrep -a top
  pkill htop
  ps aux | grep top
  pidof vim
  man -k x
  man ls
  man top
  man -P cat vim
  info ls
  less /etc/passwd | head
  cat /etc/passwd | less
  dmesg | less
  dmesg | more
  git log | less
  less --version
  watch --version
  mc --version
  ncdu -o out.json /
  du -sh * | sort -h
  tmux ls
  tmux new-session -d -s work 'top'
  tmux send-keys -t work 'vim' Enter
  tmux capture-pane -p -t work
  tmux kill-session -t work
  screen -ls
  screen -dmS work top
  screen -d -m -S work bash
  screen -S work -X quit
  docker ps
  docker exec web ls
  docker exec -i web psql -c 'select 1'
  docker exec web sh -c 'ps aux | grep top'
  docker exec -t web ls
  docker exec -u root -w /srv web cat top
  docker exec -i db mysql -uroot app < dump.sql
  docker run --rm debian echo -it
  docker run -itd --name x debian bash
  docker run -d nginx
  docker exec web sh -c "echo -it"
  docker logs --tail 100 web
  docker compose up -d
  docker compose -f docker-compose.yml up -d
  docker compose -f x.yml logs --tail 50
  docker compose -f x.yml ps
  docker compose exec web ls
  docker compose logs
  docker stats --no-stream
  docker system df
  docker system prune -f
  docker image prune --all --force
  docker login -u me --password-stdin < token
  docker build -t top .
  kubectl exec pod -- sh -c 'ls'
  kubectl logs --tail 10 pod
  kubectl apply -f file.yml
  kubectl get pods -o wide
  kubectl logs -n kube-system pod
  qm list
  qm guest exec 100 -- ls
  pct list
  pct exec 400 -- ls -la
  pct exec 400 -- bash -c 'apt-get update'
  pct exec 400 -- sh -c 'echo vi'
  lxc-attach -n 400 -- ls
  virsh list --all
  virsh -c qemu:///system list
  ssh pve2 uptime
  ssh -o BatchMode=yes -p 22 root@pve2 'systemctl status'
  ssh pve2 -p 22 uptime
  ssh pve2 'echo vim'
  ssh -t pve2 uptime
  ssh -V
  ssh -G pve2
  ssh -fN -L 8080:localhost:80 host
  ssh -O check host
  ssh host <<'EOF'
  ssh host < script.sh
  cat script.sh | ssh host
  ssh-keygen -t ed25519 -N '' -f key
  ssh-keygen -lf key.pub
  ssh-keygen -R host
  ssh-keygen -y -f key
  ssh-keygen -qt rsa -b 4096 -N "" -f key <<< y
  ssh-copy-id -i key host
  sftp -b batch host
  sftp host:/etc/hosts .
  echo quit | telnet localhost 25
  mysql -e "select 1"
  mysql -u root -psecret -e 'show databases'
  mysql -Nse 'select 1' app
  mysql --execute='show tables' app
  mysql app < dump.sql
  mysql -uroot <<EOF
  echo 'show databases' | mysql
  mysql --version
  mysqldump app | gzip > dump.gz
  mysqldump -u root -psecret app > dump.sql
  mysqladmin ping
  psql -c 'select 1'
  psql -U postgres -tAc "select version()"
  sudo -u postgres psql -d app -f schema.sql
  sudo -u postgres psql -lqt
  psql -h db -U app app < dump.sql
  su - postgres -c "psql -c 'select 1'"
  sqlite3 app.db 'select 1'
  sqlite3 app.db .dump
  sqlite3 -header -csv app.db "select * from top"
  sqlite3 app.db < schema.sql
  redis-cli ping
  redis-cli -h 10.0.0.1 -a secret info memory
  redis-cli --scan --pattern 'x*'
  mongosh --eval 'db.stats()'
  mongosh --quiet app script.js
  python3 -c 'print(1)'
  python3 script.py
  python3 -m json.tool file.json
  python3 --version
  python3 -V
  python3 - <<'EOF'
  cat data.json | python3 -m json.tool
  echo 'print(1)' | python3
  python3 < script.py
  python3 $SCRIPT
  python3 "$SCRIPT" --flag
  node -e 'console.log(1)'
  node server.js
  node --version
  node -p process.version
  php -r 'echo 1;'
  php -v
  php artisan migrate
  perl -pe 's/a/b/' file
  perl -i -pe 's/a/b/' file
  perl script.pl
  perl -MCPAN -e 1
  ruby -e 'puts 1'
  lua script.lua
  bash script.sh
  bash -c 'echo hi'
  bash -lc 'which vim'
  bash -x script.sh
  bash <(curl -fsSL https://example.org/install.sh)
  curl -fsSL https://example.org/install.sh | bash
  curl -fsSL https://example.org/install.sh | sudo bash -s -- --yes
  sh -c 'echo less is more'
  echo ls | sh
  bash <<'EOF'
  sudo -u www-data ls
  sudo -n true
  sudo -l
  sudo -k
  sudo -i ls
  sudo -s -- ls
  sudo -iu postgres psql -c 'select 1'
  su -c 'ls' alice
  su - alice -c 'echo vi'
  runuser -u alice -- ls
  runuser -l alice -c 'id'
  passwd -l alice
  passwd -S alice
  echo 'alice:secret' | chpasswd
  printf 'a\na\n' | passwd alice
  passwd --status root
  chage -l root
  getent passwd root
  grep root /etc/passwd
  htpasswd -b .htpasswd alice secret
  htpasswd -bc .htpasswd alice secret
  openssl x509 -in cert.pem -noout -text
  openssl s_client -connect host:443 -servername host </dev/null
  openssl s_client -connect host:443 < /dev/null 2>/dev/null | openssl x509 -noout -dates
  openssl rand -hex 16
  openssl req -new -key k -subj /CN=x -out r
  openssl req -x509 -newkey rsa:4096 -nodes -keyout k -out c -subj /CN=x
  openssl req -in r.csr -noout -text
  openssl enc -aes-256-cbc -pass file:p -in a -out b
  openssl enc -base64 -in a
  openssl passwd -6 secret
  openssl version
  gpg --list-keys
  curl -fsSL https://example.org/key | gpg --dearmor -o /etc/apt/keyrings/x.gpg
  gpg --batch --gen-key params
  gpg --import key.asc
  gpg --verify file.sig file
  adduser --disabled-password --gecos '' alice
  adduser --system --group app
  adduser alice sudo
  adduser -D alice
  useradd -m alice
  deluser alice
  rm file
  rm -rf build
  rm -f -i file
  cp -r a b
  cp -a /etc/vim /backup
  mv a b
  sed -i 's/vi/vim/' file
  grep -i nano file
  grep -r "top" /etc
  find / -name vim
  find /etc -name '*.conf' -exec grep -l top {} +
  ls | xargs -n1 echo
  while read -r line; do echo "$line"; done < file
  cat file | while read -r a b; do echo "$b"; done
  read -r a b < /proc/loadavg; echo "$a"
  read -r first <<< "$(uptime)"
  echo x | read y
  read -t 5 x
  IFS= read -r line < file
  f() { read -r x; echo "$x"; }; echo 1 | f
  for h in a b; do ssh "$h" uptime; done
  while read -r h; do ssh "$h"; done < hosts
  select_db() { mysql -e "use $1"; }
  top() { echo mine; }; top
  watch() { echo "$@"; }
  case $1 in vi|vim) echo editor ;; top) echo top ;; esac
  case "$x" in (less) cat f;; *) echo other;; esac
  for editor in vi vim nano; do command -v "$editor"; done
  editors=(vi vim nano); echo "\${editors[@]}"
  PAGER=less
  PAGER=less git log
  export PAGER=less EDITOR=nano
  alias ll='ls -la' vi=vim
  [ -x /usr/bin/vim ] && echo yes
  [[ $EDITOR == vim || $EDITOR == nano ]] && echo yes
  if [ -t 0 ]; then whiptail --msgbox hi 8 40; else echo hi; fi
  # vi /etc/hosts
  ls # then: nano x
  echo $((1 + 2)); (( x = 3 ))
  echo "$(date) vi" >> log
  x=$(which vim)
  echo "vi; nano; top"
  printf '%s\n' "top" "less"
  logger "read the top of the list"
  wall "run: vim"
  cat > /etc/motd <<EOF
  tail -n 100 /var/log/syslog
  tail -100 /var/log/syslog
  tail -c +5 file
  tail -f --pid=123 file
  timeout 5 tail -f /var/log/syslog
  timeout -k 1 10s journalctl -f
  tail -f log | head -5
  tail -f log | grep -m1 ready
  tail -f log | sed '/ready/q'
  tail -f log &
  journalctl -u nginx -n 50
  journalctl -u php-fpm --since today
  journalctl -uphp-fpm
  journalctl -xe --no-pager
  journalctl -b -p err
  journalctl --disk-usage
  journalctl -t sshd -o cat | tail
  ping -c 3 1.1.1.1
  ping -c3 host
  ping -w 5 host
  timeout 3 ping host
  ping host | head -3
  fping -c 1 host
  dmesg
  dmesg -T | tail
  dmesg --level err
  vmstat
  vmstat 1 5
  vmstat -s
  iostat
  iostat -x 1 3
  iostat -dx sda 2 5
  sar -u 1 3
  sar -f /var/log/sa/sa01
  mpstat -P ALL
  zpool status tank
  zpool iostat -v tank
  zpool iostat 1 5
  free -h
  tcpdump -c 10 -i eth0
  tcpdump -r file.pcap
  timeout 10 tcpdump -nn -i eth0
  yes | head -5
  yes '' | make oldconfig
  sleep 5
  fdisk -l
  fdisk -l /dev/sda
  echo -e 'n\np\n\n\n\nw' | fdisk /dev/sdb
  parted -s /dev/sda print
  parted /dev/sda print
  parted -l
  sfdisk -d /dev/sda
  sfdisk /dev/sdb < table
  lsblk
  sgdisk -p /dev/sda
  ufw status
  ufw --force enable
  ufw allow 22/tcp
  ufw delete allow 80
  lvremove -y vg/lv
  lvs
  cryptsetup luksDump /dev/sdb1
  cryptsetup open --key-file k /dev/sdb1 data
  terraform plan
  terraform apply -auto-approve
  terraform apply plan.out
  echo ls | at now + 1 minute
  at -l
  dialog --version
  python3 -c "import os; os.system('vi')"
  awk '{ print $1 } # vi' file
  perl -e 'exec "top"'
  nohup ./server > log 2>&1 &
  nice -n 10 make -j4
  time make
  env
  env -i PATH=/bin ls
  exec 3< file
  command ls
  busybox ls
  setsid sleep 5
  timeout 5 sleep 10
  chroot /mnt ls
  nsenter -t 1 -m -- ls
  flock /tmp/lock ls
  bc <<< '1+2'
  echo '1+2' | bc -l
  gdb -p 1 -batch -ex bt
  ip addr
  ip link show
  udevadm trigger
  mtr -r -c 5 host
  mtr --report host
  glances --stdout cpu.user --stop-after 1
  lynx -dump https://example.org
  curl -s https://example.org/install | less
  expect -c 'spawn top; expect x'
  script -qc 'top -b -n1' /dev/null
  make
  make install
  ansible-playbook site.yml
  certbot renew --quiet
  mc alias set local http://localhost:9000 key secret
  mc ls local
  git merge --no-ff -Xsubtree=lib -m 'merge' other
  git merge -Xsubtree=lib other
  lxc-attach -?
  vigr -V
`);

/** Scripts of more than a line, which pass. */
const scripts = [
  'cat > /etc/motd <<EOF\nuse vi or nano\ntop\nless file\nEOF\nls',
  "python3 - <<'EOF'\nimport os\nprint('vi')\ntop = 1\nEOF",
  'cat <<-END >x\n\tvi\n\ttop\n\tEND\necho done',
  '#!/bin/bash\n# edit with vi\nset -euo pipefail\nfor i in 1 2 3; do\n  echo "$i" # nano\ndone\n',
  'case "$1" in\n  vi | vim)\n    echo editor\n    ;;\n  top) echo top ;;\n  *)\n    echo less\n    ;;\nesac\nls',
  'mysql <<SQL\nselect 1;\nSQL\npsql app <<SQL\nselect 1;\nSQL',
  'ssh host bash <<EOF\nls\nEOF',
  'ssh host <<EOF\nvi\nEOF\n',
  'edit() {\n  echo "would edit $1"\n}\nwatch () { echo; }\nfunction top {\n  ps aux\n}\nedit x\nwatch y\ntop\n',
  'while read -r name _; do\n  x=$(ssh "$name")\ndone < hosts',
  'cat hosts | while read -r h; do\n  ssh "$h" && echo ok\ndone',
  'exec < input\nread -r a\nread -r b\n',
  'x="\nvi\ntop\n"\necho "$x"',
  "awk '\n/top/ { print }\n' file",
  'a=$(cat <<EOF\nvi\nEOF\n)\necho "$a"',
  'apt-get update \\\n  && apt-get install -y \\\n    vim \\\n    nano \\\n    less',
  'if ! command -v htop >/dev/null; then\n  apt-get install -y htop\nfi',
  `arr=(\n  vi # an editor\n  top\n)\necho "\${arr[0]}"`,
  'for s in nginx mysql\ndo\n  systemctl is-active "$s"\ndone',
  '{ echo a; echo b; } | python3',
  '(echo n; echo p) | fdisk /dev/sdb',
  'if true; then cat; fi < file | less',
  "sed -i '/^vi$/d\n/top/d' file",
  `echo "\${x:-vi}" \`which top\` $((2 > 1)) <(ls)`,
  "printf '%s\\n' 'apt install x' | tee script.sh",
  "bash -c 'cat <<EOF\nvi\nEOF'",
];

/** And some that do not. */
const refusedScripts = [
  'set -e\napt-get update\napt-get install nginx\n',
  'cat > x <<EOF\nhi\nEOF\nvi x',
  "ssh host bash -s <<'EOF' && top\nls\nEOF",
  'case $1 in\n  a) nano x ;;\nesac',
  'x=$(ssh host)',
  'echo `htop`',
  'f() {\n  htop\n}\nf',
  'if true\nthen\n  mysql\nfi',
  '[ -e x ] && less x',
  "bash -c 'cd /etc; vi hosts'",
  'while true; do top; sleep 1; done',
];

describe('a command that would wait for a keyboard', () => {
  it('is in a table of at least 120', () => expect(refused.length + refusedScripts.length).toBeGreaterThanOrEqual(120));

  it.each([...refused, ...refusedScripts])('is refused: %s', (script) => {
    const failure = refusal(script);
    expect(failure).toMatchObject({ kind: 'invalid-input' });
    expect(failure?.message).toMatch(/, so nothing was run\.$/);
    expect(failure?.hint).toMatch(/With force: true it is run all the same\.$/);
    expect(refusal({ script, force: true })).toBeUndefined();
  });
});

describe('an ordinary command', () => {
  it('is in a table of at least 150', () => expect(passed.length + scripts.length).toBeGreaterThanOrEqual(150));

  it.each([...passed, ...scripts])('is let through: %s', (script) => expect(refusal(script)).toBeUndefined());
});

describe('a command that is refused', () => {
  const told = (command: Unattended | string) => {
    const { message, hint } = refusal(command) ?? {};
    return `${message} ${hint}`;
  };

  it('is told with what it would wait for and the form that works', () => {
    const samples = [
      'sudo nano /etc/hosts',
      'top',
      'apt-get update && apt install nginx',
      'ping pve2',
      'docker exec -it web sh',
    ];
    expect(samples.map(told)).toMatchInlineSnapshot(`
      [
        ""nano /etc/hosts" would open an editor, and nobody sits at a keyboard here, so nothing was run. Change the file by \`sed -i 's/OLD/NEW/' FILE\`, or by ssh_file_edit. With force: true it is run all the same.",
        ""top" needs a terminal to draw on, and commands run without one, so nothing was run. Use \`top -b -n 1\`. With force: true it is run all the same.",
        ""apt install nginx" would wait for what somebody types, and nobody sits at a keyboard here, so nothing was run. Use \`apt-get install -y PACKAGE\`, or look before by \`apt-get install -s PACKAGE\`. With force: true it is run all the same.",
        ""ping pve2" does not end by itself, so nothing was run. Use \`ping -c 4 HOST\`. Or say how long it may run: timeout_s, wait_s or detach. With force: true it is run all the same.",
        ""docker exec -it web sh" needs a terminal to draw on, and commands run without one, so nothing was run. Leave -t out: \`docker exec CONTAINER COMMAND\`, with -i only when stdin is given. With force: true it is run all the same.",
      ]
    `);
  });

  it('is shown in one short line', () => {
    const text = told(`vi ${'x'.repeat(500)}\n`);
    expect(text).toMatch(/^"vi x{56}…" would open an editor/);
    expect(told("less 'a\n\tb'")).toMatch(/^"less a b" needs/);
  });

  it('passes with standard input, where an answer on it is enough', () => {
    for (const script of [
      'python3',
      'mysql -uroot app',
      'apt install nginx',
      'passwd alice',
      'ssh pve2',
      'read x',
      'bash',
      'crontab -',
    ]) {
      expect(refusal(script), script).toBeDefined();
      expect(refusal({ script, stdin: '' }), script).toBeUndefined();
    }
    for (const script of ['top', 'nano x', 'docker exec -it web sh', 'tail -f log'])
      expect(refusal({ script, stdin: 'q' }), script).toBeDefined();
  });

  it('passes when it is said how long it may run, where it never ends', () => {
    for (const script of ['tail -f log', 'ping pve2', 'docker logs -f web', 'ssh pve2 journalctl -f']) {
      expect(refusal(script), script).toBeDefined();
      for (const more of [{ timeout_s: 5 }, { wait_s: 0 }, { detach: true }])
        expect(refusal({ script, ...more }), script).toBeUndefined();
      expect(refusal({ script, detach: false }), script).toBeDefined();
    }
    expect(refusal({ script: 'top', timeout_s: 5 })).toBeDefined();
  });

  it('passes when a variable names the editor, or answers for debconf', () => {
    expect(refusal({ script: 'crontab -e', env: { EDITOR: 'true' } })).toBeUndefined();
    expect(refusal({ script: 'git commit', env: { GIT_EDITOR: 'true' } })).toBeUndefined();
    expect(refusal({ script: 'dpkg-reconfigure tzdata', env: { DEBIAN_FRONTEND: 'noninteractive' } })).toBeUndefined();
    expect(refusal({ script: 'top', env: { EDITOR: 'true' } })).toBeDefined();
  });

  it('is given forms that pass themselves', () => {
    const hints = [...refused, ...refusedScripts].map((script) => refusal(script)?.hint ?? '');
    const forms = new Set(hints.flatMap((hint) => [...hint.matchAll(/`([^`]+)`/g)].map(([, form]) => form ?? '')));
    expect(forms.size).toBeGreaterThan(80);
    expect([...forms].filter((form) => refusal(form))).toEqual([]);
  });
});

describe('any text', () => {
  const pieces = lines(String.raw`
    vi
    top
    case x in
    esac
    if
    then
    fi
    for x in
    do
    done
    {
    }
    (
    )
    ((
    [[
    ]]
    $(
    \
    "
    '
    <<E
    E
    <(
    \${
    a=(
    ;;
    |
    &&
    &
    ;
    >
    <
    #
    f()
    function
    -c
    sh
    sudo
    ssh
    docker exec
    timeout 5
  `).concat('\n', '`', ' ');

  it('is let through or refused, and nothing else (1,000 random scripts)', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
        refusal(parts.join(' '));
        refusal(parts.join(''));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ...pieces,
    'x|',
    'x;',
    '{ ',
    '( ',
    '"$(',
    'x <a ',
    '{ x; } <a ',
    '`\\`',
    "sh -c '",
    'a$(b',
    'if x; then ',
    'case x in a) ',
  ])('is read in no time, however long: %j', (piece) => {
    const script = piece.repeat(Math.floor((64 * 1024) / piece.length));
    const begin = performance.now();
    refusal(script);
    expect(performance.now() - begin).toBeLessThan(1_500);
  });
});
