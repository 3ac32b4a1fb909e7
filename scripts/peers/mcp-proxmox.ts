/** The 67 functions of gilby125/mcp-proxmox. */
export const mcpProxmox = `
get_nodes: pve_overview, nodes with load, uptime and version
get_node_status: pve_node_get, one node by section
get_cluster_status: pve_overview, cluster and quorum, or standalone
get_storage: pve_storage_list, use and content of each
get_next_vmid: pve_api_get, /cluster/nextid; creating tools pick one themselves
list_templates: pve_storage_content, content vztmpl; content iso
whoami: pve_access_check, who the token is and what it may do
get_pools: pve_api_get, /pools
get_ha_resources: pve_api_get, /cluster/ha/resources
get_firewall_rules: pve_api_get, /nodes/N/lxc/ID/firewall/rules
get_rrd_data: pve_metrics, node, guest or storage over hour to year
get_task_status: pve_task_get, with the end of its log
get_vms: pve_guest_list, VMs and containers, filtered
get_vm_status: pve_guest_get, state and load
get_vm_config: pve_guest_get, config and what is pending
get_guest_ips: pve_guest_get, ip_addresses
create_lxc: pve_ct_create, with its template downloaded when missing
create_vm: pve_vm_create, from ISO, image or empty
clone_lxc: pve_guest_clone, full or linked
clone_vm: pve_guest_clone, full or linked
resize_lxc: pve_guest_configure, cores and memory
resize_vm: pve_guest_configure, cores and memory
start_lxc: pve_guest_power, action start
start_vm: pve_guest_power, action start
stop_lxc: pve_guest_stop, asked first
stop_vm: pve_guest_stop, asked first
reboot_lxc: pve_guest_power, action reboot
reboot_vm: pve_guest_power, action reboot
shutdown_lxc: pve_guest_power, action shutdown
shutdown_vm: pve_guest_power, action shutdown
delete_lxc: pve_guest_delete, asked first
delete_vm: pve_guest_delete, asked first
pause_vm: pve_guest_power, action suspend
resume_vm: pve_guest_power, action resume
create_snapshot_lxc: pve_snapshot_create, waits until it is taken
create_snapshot_vm: pve_snapshot_create, with vmstate on wish
list_snapshots_lxc: pve_snapshot_list, as a tree
list_snapshots_vm: pve_snapshot_list, as a tree
rollback_snapshot_lxc: pve_snapshot_rollback, asked first
rollback_snapshot_vm: pve_snapshot_rollback, asked first
delete_snapshot_lxc: pve_snapshot_delete, asked first
delete_snapshot_vm: pve_snapshot_delete, asked first
create_backup_lxc: pve_backup_create, waits until it is written
create_backup_vm: pve_backup_create, waits until it is written
restore_backup_lxc: pve_backup_restore, to a new id
restore_backup_vm: pve_backup_restore, to a new id
list_backups: pve_backup_list, across storages
delete_backup: pve_backup_delete, asked first
add_disk_vm: pve_disk_add, scsi, virtio, sata, ide
remove_disk_vm: pve_disk_remove, detach or destroy
add_mountpoint_lxc: pve_disk_add, mp0 and on
remove_mountpoint_lxc: pve_disk_remove, detach or destroy
resize_disk_lxc: pve_disk_resize, grows only
resize_disk_vm: pve_disk_resize, grows only
move_disk_lxc: pve_disk_move, to another storage
move_disk_vm: pve_disk_move, to another storage
add_network_lxc: pve_nic_set, a new card
add_network_vm: pve_nic_set, a new card
update_network_lxc: pve_nic_set, an existing card
update_network_vm: pve_nic_set, an existing card
remove_network_lxc: pve_nic_remove, by its name
remove_network_vm: pve_nic_remove, by its name
execute_vm_command: vm_exec, a real shell with exit code
migrate_vm: pve_guest_migrate, preconditions told first
convert_to_template: pve_guest_template, asked first
set_cloudinit: pve_guest_configure, user, keys and addresses
generate_terraform: pve_export, Terraform, Ansible, ssh_config
`;
