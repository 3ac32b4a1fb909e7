// The first command of a process with nothing but ssh2: host, port, user, key file, word.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import ssh2 from 'ssh2';

const [host, port, username, key, word] = process.argv.slice(2);
const client = new ssh2.Client();
client.on('ready', () => {
  client.exec(`echo ${word}`, (error, channel) => {
    if (error) throw error;
    channel.pipe(process.stdout);
    channel.on('close', () => client.end()).stderr.resume();
  });
});
client.connect({ sock: connect({ host, port: Number(port), noDelay: true }), username, privateKey: readFileSync(key) });
