/** The 2 tools of tufantunc/ssh-mcp 1.x. */
export const sshMcp1 = `
exec: ssh_exec, target in the place of one server for each host
sudo-exec: ssh_sudo_exec, the password goes to sudo alone, and only when it asks
`;

/** The 14 tools of tufantunc/ssh-mcp 2.11 (its README). */
export const sshMcp2 = `
list-connections: ssh_host_list, with state, last seen and last error
list-sessions: ssh_session_list, with what each of them runs
open-session: ssh_session_open, background work is a job: ssh_exec with detach
close-session: ssh_session_close, ends what runs in it
read-session-output: ssh_session_read, of a job ssh_job_read; by offset or until a text comes
read-command: ssh_host_logs, ssh_host_metrics, ssh_file_read: fixed reading tools in the place of an allow-list
run-command: ssh_exec, multi-line, no length limit, stdin, cwd, env, user
privileged-command: ssh_sudo_exec, or ssh_exec with user
sftp-upload: ssh_file_write, atomic, guarded by expected_sha256, sudo where root owns it
sftp-download: ssh_file_read, text or base64, byte for byte: nothing is taken out of file bodies
sftp-list: ssh_file_list, in containers and VMs too
sftp-upload-file: ssh_file_upload, checked by SHA-256, atomic, resumable
sftp-download-file: ssh_file_download, checked by SHA-256, atomic, resumable
signal-process: ssh_job_kill, for what this server started; ssh_exec with kill for the rest
`;
