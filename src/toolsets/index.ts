import { core } from './core.ts';
import accessCheck from './pve/access-check.ts';
import backupDelete from './pve/backup-delete.ts';
import backupJobs from './pve/backup-jobs.ts';
import ctCreate from './pve/ct-create.ts';
import dashboard from './pve/dashboard.ts';
import diskAdd from './pve/disk-add.ts';
import diskMove from './pve/disk-move.ts';
import diskRemove from './pve/disk-remove.ts';
import diskResize from './pve/disk-resize.ts';
import download from './pve/download.ts';
import pveExport from './pve/export.ts';
import guestClone from './pve/guest-clone.ts';
import guestDelete from './pve/guest-delete.ts';
import guestMigrate from './pve/guest-migrate.ts';
import guestRestore from './pve/guest-restore.ts';
import guestTemplate from './pve/guest-template.ts';
import nicRemove from './pve/nic-remove.ts';
import nicSet from './pve/nic-set.ts';
import snapshotDelete from './pve/snapshot-delete.ts';
import storageContent from './pve/storage-content.ts';
import taskStop from './pve/task-stop.ts';
import vmCreate from './pve/vm-create.ts';
import volumeDelete from './pve/volume-delete.ts';
import execMany from './ssh/exec-many.ts';
import fileDownload from './ssh/file-download.ts';
import fileList from './ssh/file-list.ts';
import fileUpload from './ssh/file-upload.ts';
import hostGet from './ssh/host-get.ts';
import hostSet from './ssh/host-set.ts';
import sessionClose from './ssh/session-close.ts';
import sessionList from './ssh/session-list.ts';
import sessionOpen from './ssh/session-open.ts';
import sessionRead from './ssh/session-read.ts';
import sessionRun from './ssh/session-run.ts';
import sessionSend from './ssh/session-send.ts';
import type { Tool } from './tool.ts';
import vmAgent from './vm/agent.ts';
import vmExec from './vm/exec.ts';

/** Every tool there is, in the order of their names. */
export const tools: readonly Tool[] = [
  ...core,
  guestClone,
  accessCheck,
  backupDelete,
  backupJobs,
  ctCreate,
  dashboard,
  diskAdd,
  diskMove,
  diskRemove,
  diskResize,
  download,
  pveExport,
  guestDelete,
  guestMigrate,
  guestRestore,
  guestTemplate,
  nicRemove,
  nicSet,
  snapshotDelete,
  storageContent,
  taskStop,
  vmCreate,
  volumeDelete,
  hostGet,
  hostSet,
  execMany,
  fileDownload,
  fileList,
  fileUpload,
  vmAgent,
  vmExec,
  sessionClose,
  sessionList,
  sessionOpen,
  sessionRead,
  sessionRun,
  sessionSend,
].sort((a, b) => (a.name < b.name ? -1 : 1));
