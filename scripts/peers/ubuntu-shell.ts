/** The one tool of the Ubuntu Shell extension, and its rules. */
export const ubuntuShell = `
bash: ssh_exec, one connection is kept and made again when it is lost
Command Timeout: ssh_exec, timeout_s of a call; MCP_COMMAND_TIMEOUT_S for those that do not say
vim, vi, nano, emacs, pico: ssh_file_edit, refused with the tool that edits [test/toolsets/keyboard.test.ts: vi /etc/hosts]
top, htop: ssh_host_metrics, refused with the form that ends by itself [test/toolsets/keyboard.test.ts: top -d 5]
less, more, man: ssh_exec, give all their text: nothing waits for a key; less +F and the like are refused [test/toolsets/keyboard.test.ts: less /var/log/syslog]
sudo, su: ssh_sudo_exec, sudo is given its password when it asks; su without a command is refused [test/toolsets/keyboard.test.ts: su - postgres]
ssh, telnet, ftp: ssh_session_open, ssh without a command is refused; telnet and ftp too [test/toolsets/keyboard.test.ts: ssh pve2]
mysql, psql, mongo: ssh_exec, refused without a query, with the form that takes one [test/toolsets/keyboard.test.ts: mysql -u root]
python, node, ruby: ssh_session_run, refused without a script; interactive true keeps one open [test/toolsets/keyboard.test.ts: python3 -i]
`;
