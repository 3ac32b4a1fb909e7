#!/usr/bin/env node
/* Old syntax only: this file has to run on the very versions that it turns away. */
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    `proxmox-ssh-mcp needs Node.js 20.19 or newer; this is ${process.versions.node}. See https://nodejs.org.`,
  );
  process.exit(1);
}
import('../dist/main.js').catch((error) => {
  var unbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]main\.js'? imported/.test(error.message);
  console.error(unbuilt ? 'proxmox-ssh-mcp is not built yet. Run: npm run build' : error);
  process.exit(1);
});
