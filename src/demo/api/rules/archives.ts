/** Backup jobs, what backups hold, and downloads: the served methods, their permissions and parameters (notation: parse.ts). */
export const archiveMethods = `
GET /cluster/backup Sys.Audit@/
GET /cluster/backup-info/not-backed-up protected Sys.Audit@/
GET /nodes/{node}/vzdump/extractconfig protected all
  node<pve-node> volume
GET /nodes/{node}/query-url-metadata special
  node<pve-node> url/url/ verify-certificates?:bool
POST /nodes/{node}/storage/{storage}/download-url protected special
  checksum-algorithm?{md5|sha1|sha224|sha256|sha384|sha512}^checksum checksum?^checksum-algorithm compression?
  content<pve-storage-content>{iso|vztmpl|import} filename(..255) node<pve-node> storage<pve-storage-id> url/url/
  verify-certificates?:bool
`;
