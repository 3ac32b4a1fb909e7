/** The 29 tools of ET Phone Home. */
export const phoneHome = `
list_clients: ssh_host_list, no agent is installed: a host is whatever sshd answers on
select_client: ssh_host_set, default true; or name the target in each call
find_client: ssh_host_list, query, purpose, tags, capability, online
describe_client: ssh_host_get, connection, host key, capabilities, limits and use
update_client: ssh_host_set, display_name, purpose, tags
accept_key: ssh_host_trust, a new key by a human's yes; a changed one by \`proxmox-ssh-mcp trust\` in a terminal
run_command: ssh_exec, and a long one becomes a job in the place of a timeout after 30 s
read_file: ssh_file_read, offset and limit, /proc files too
write_file: ssh_file_write, atomic, keeps mode and owner
list_files: ssh_file_list, type, size, mode, owner, time
upload_file: ssh_file_upload, streamed, resumable, checked
download_file: ssh_file_download, streamed, resumable, checked
get_client_metrics: ssh_host_metrics, summary true for the short form
get_rate_limit_stats: ssh_host_get, limits and how much is used
configure_client: ssh_host_set, webhook and limits, which are enforced
ssh_session_open: ssh_session_open, jump hosts come from the inventory; a password is never an argument
ssh_session_command: ssh_session_run, with a real exit code
ssh_session_send: ssh_session_send, text, keys, end of input
ssh_session_read: ssh_session_read, until a text comes
ssh_session_close: ssh_session_close, ends what runs in it
ssh_session_list: ssh_session_list, with what each of them runs
ssh_session_restore: ssh_job_list, a shell ends with its connection; a detached job is found again after a restart
exchange_upload: ssh_file_download, to the transfer folder of this machine: no third party holds the file
exchange_download: ssh_file_upload, from that folder to any host
exchange_list: ssh_file_list, of a host; the transfer folder is a folder of yours
exchange_delete: ssh_exec, rm on a host; the transfer folder is a folder of yours
r2_rotate_keys: server_status, there is no cloud storage and no key of one; the API token's end is told
r2_list_tokens: pve_access_check, the API token and what it may do
r2_check_rotation_status: server_status, when the API token expires
`;
