import accessCheck from './pve/access-check.ts';
import apiCall from './pve/api-call.ts';
import apiGet from './pve/api-get.ts';
import apiSearch from './pve/api-search.ts';
import backupCreate from './pve/backup-create.ts';
import backupDelete from './pve/backup-delete.ts';
import backupJobs from './pve/backup-jobs.ts';
import backupList from './pve/backup-list.ts';
import backupRestore from './pve/backup-restore.ts';
import ctCreate from './pve/ct-create.ts';
import diskAdd from './pve/disk-add.ts';
import diskMove from './pve/disk-move.ts';
import diskRemove from './pve/disk-remove.ts';
import diskResize from './pve/disk-resize.ts';
import download from './pve/download.ts';
import pveExport from './pve/export.ts';
import guestClone from './pve/guest-clone.ts';
import guestConfigure from './pve/guest-configure.ts';
import guestDelete from './pve/guest-delete.ts';
import guestGet from './pve/guest-get.ts';
import guestList from './pve/guest-list.ts';
import guestMigrate from './pve/guest-migrate.ts';
import guestPower from './pve/guest-power.ts';
import guestRestore from './pve/guest-restore.ts';
import guestStop from './pve/guest-stop.ts';
import guestTemplate from './pve/guest-template.ts';
import log from './pve/log.ts';
import metrics from './pve/metrics.ts';
import nicRemove from './pve/nic-remove.ts';
import nicSet from './pve/nic-set.ts';
import nodeGet from './pve/node-get.ts';
import overview from './pve/overview.ts';
import snapshotCreate from './pve/snapshot-create.ts';
import snapshotDelete from './pve/snapshot-delete.ts';
import snapshotList from './pve/snapshot-list.ts';
import snapshotRollback from './pve/snapshot-rollback.ts';
import storageContent from './pve/storage-content.ts';
import storageList from './pve/storage-list.ts';
import taskGet from './pve/task-get.ts';
import taskList from './pve/task-list.ts';
import taskStop from './pve/task-stop.ts';
import vmCreate from './pve/vm-create.ts';
import volumeDelete from './pve/volume-delete.ts';
import status from './server/status.ts';
import exec from './ssh/exec.ts';
import hostList from './ssh/host-list.ts';
import pctExec from './ssh/pct-exec.ts';
import sudoExec from './ssh/sudo-exec.ts';
import type { Tool } from './tool.ts';
import vmAgent from './vm/agent.ts';
import vmExec from './vm/exec.ts';

/** Every tool there is, in the order of their names. */
export const tools: readonly Tool[] = [
  pctExec,
  accessCheck,
  apiCall,
  apiGet,
  apiSearch,
  backupCreate,
  backupDelete,
  backupJobs,
  backupList,
  backupRestore,
  ctCreate,
  diskAdd,
  diskMove,
  diskRemove,
  diskResize,
  download,
  pveExport,
  guestClone,
  guestConfigure,
  guestDelete,
  guestGet,
  guestList,
  guestMigrate,
  guestPower,
  guestRestore,
  guestStop,
  guestTemplate,
  log,
  metrics,
  nicRemove,
  nicSet,
  nodeGet,
  overview,
  snapshotCreate,
  snapshotDelete,
  snapshotList,
  snapshotRollback,
  storageContent,
  storageList,
  taskGet,
  taskList,
  taskStop,
  vmCreate,
  volumeDelete,
  status,
  exec,
  hostList,
  sudoExec,
  vmAgent,
  vmExec,
];
