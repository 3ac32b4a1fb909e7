import apiCall from './pve/api-call.ts';
import apiGet from './pve/api-get.ts';
import apiSearch from './pve/api-search.ts';
import backupCreate from './pve/backup-create.ts';
import backupList from './pve/backup-list.ts';
import backupRestore from './pve/backup-restore.ts';
import guestConfigure from './pve/guest-configure.ts';
import guestGet from './pve/guest-get.ts';
import guestList from './pve/guest-list.ts';
import guestPower from './pve/guest-power.ts';
import guestStop from './pve/guest-stop.ts';
import log from './pve/log.ts';
import metrics from './pve/metrics.ts';
import nodeGet from './pve/node-get.ts';
import overview from './pve/overview.ts';
import snapshotCreate from './pve/snapshot-create.ts';
import snapshotList from './pve/snapshot-list.ts';
import snapshotRollback from './pve/snapshot-rollback.ts';
import storageList from './pve/storage-list.ts';
import taskGet from './pve/task-get.ts';
import taskList from './pve/task-list.ts';
import status from './server/status.ts';
import exec from './ssh/exec.ts';
import fileEdit from './ssh/file-edit.ts';
import fileRead from './ssh/file-read.ts';
import fileWrite from './ssh/file-write.ts';
import hostList from './ssh/host-list.ts';
import hostLogs from './ssh/host-logs.ts';
import hostMetrics from './ssh/host-metrics.ts';
import hostTrust from './ssh/host-trust.ts';
import jobKill from './ssh/job-kill.ts';
import jobList from './ssh/job-list.ts';
import jobRead from './ssh/job-read.ts';
import pctExec from './ssh/pct-exec.ts';
import sudoExec from './ssh/sudo-exec.ts';
import type { Tool } from './tool.ts';

/** The tools that are there unless the operator chooses others: all that is loaded at a usual start. */
export const core: readonly Tool[] = [
  pctExec,
  apiCall,
  apiGet,
  apiSearch,
  backupCreate,
  backupList,
  backupRestore,
  guestConfigure,
  guestGet,
  guestList,
  guestPower,
  guestStop,
  log,
  metrics,
  nodeGet,
  overview,
  snapshotCreate,
  snapshotList,
  snapshotRollback,
  storageList,
  taskGet,
  taskList,
  status,
  exec,
  fileEdit,
  fileRead,
  fileWrite,
  hostList,
  hostLogs,
  hostMetrics,
  hostTrust,
  jobKill,
  jobList,
  jobRead,
  sudoExec,
];
