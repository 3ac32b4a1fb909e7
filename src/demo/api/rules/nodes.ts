/** Nodes, their services, logs, tasks and storage contents: the served methods, their permissions and parameters (notation: parse.ts). */
export const nodesMethods = `
GET /nodes all
GET /nodes/{node}/status Sys.Audit@/nodes/{node}
  node<pve-node>
GET /nodes/{node}/time Sys.Audit@/nodes/{node}
  node<pve-node>
GET /nodes/{node}/storage protected all
  content?<pve-storage-content-list> enabled?:bool format?:bool node<pve-node> storage?<pve-storage-id>
  target?<pve-node>
GET /nodes/{node}/storage/{storage}/content protected Datastore.Audit|Datastore.AllocateSpace@/storage/{storage}
  content?<pve-storage-content> node<pve-node> storage<pve-storage-id> vmid?:int(100..999999999)<pve-vmid>
DELETE /nodes/{node}/storage/{storage}/content/{volume} protected all
  delay?:int(1..30) node<pve-node> storage?<pve-storage-id> volume
PUT /nodes/{node}/storage/{storage}/content/{volume} protected all
  node<pve-node> notes? protected?:bool storage?<pve-storage-id> volume
GET /nodes/{node}/tasks all
  errors?:bool limit?:int(0..) node<pve-node> since?:int source?{archive|active|all} start?:int(0..)
  statusfilter?<pve-task-status-type-list> typefilter? until?:int userfilter? vmid?:int(100..999999999)<pve-vmid>
GET /nodes/{node}/tasks/{upid}/status protected all
  node<pve-node> upid
GET /nodes/{node}/tasks/{upid}/log protected all
  download?:bool limit?:int(0..) node<pve-node> start?:int(0..) upid
DELETE /nodes/{node}/tasks/{upid} protected all
  node<pve-node> upid
GET /nodes/{node}/services protected Sys.Audit@/nodes/{node}
  node<pve-node>
GET /nodes/{node}/services/{service}/state protected Sys.Audit@/nodes/{node}
  +service
POST /nodes/{node}/services/{service}/restart protected Sys.Modify@/nodes/{node}
  +service
POST /nodes/{node}/services/{service}/start protected Sys.Modify@/nodes/{node}
  +service
POST /nodes/{node}/services/{service}/stop protected Sys.Modify@/nodes/{node}
  +service
POST /nodes/{node}/services/{service}/reload protected Sys.Modify@/nodes/{node}
  +service
GET /nodes/{node}/certificates/info all
  node<pve-node>
GET /nodes/{node}/rrddata protected Sys.Audit@/nodes/{node}
  cf?{AVERAGE|MAX} node<pve-node> timeframe{hour|day|week|month|year|decade}
GET /nodes/{node}/apt/update protected Sys.Modify@/nodes/{node}
  node<pve-node>
GET /nodes/{node}/syslog protected Sys.Syslog@/nodes/{node}
  limit?:int(0..) node<pve-node> service?(..128) since?/since/ start?:int(0..) until?/since/
GET /nodes/{node}/journal protected Sys.Syslog@/nodes/{node}
  endcursor? identifiers?:bool kernel?:bool lastentries?:int(0..) node<pve-node> priority?/priority/
  service?(..128)/service/ since?:int(0..) startcursor? structured?:bool unit?(..256)/unit/ units?:bool
  until?:int(0..)
POST /nodes/{node}/vzdump protected all
  all?:bool bwlimit?:int(0..) compress?{0|1|gzip|lzo|zstd} dumpdir? exclude-path?:list exclude?<pve-vmid-list>
  fleecing?<backup-fleecing> ionice?:int(0..8) job-id?(..50)/jobid/ lockwait?:int(0..)
  mailnotification?{always|failure} mailto?<email-or-username-list> mode?{snapshot|suspend|stop} node?<pve-node>
  notes-template?(..1024)^storage notification-mode?{auto|legacy-sendmail|notification-system}
  pbs-change-detection-mode?{legacy|data|metadata} performance?<backup-performance> pigz?:int pool?
  protected?:bool^storage prune-backups?<prune-backups> quiet?:bool remove?:bool script? stdexcludes?:bool
  stdout?:bool stop?:bool stopwait?:int(0..) storage?<pve-storage-id> tmpdir? vmid?<pve-vmid-list> zstd?:int
POST /nodes/{node}/execute protected root
  commands<pve-command-batch> node<pve-node>
`;
