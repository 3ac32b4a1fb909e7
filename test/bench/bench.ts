import { firstCommand, oneAtATime } from './commands.ts';
import { atOnce, crowd } from './crowd.ts';
import { guests } from './guests.ts';
import { startLab } from './lab.ts';
import { library } from './library.ts';
import { ours, peer } from './mcp.ts';
import { memory } from './memory.ts';
import { openssh } from './openssh.ts';
import { raw } from './raw.ts';
import { answered, type Each, type Road, type Way } from './road.ts';
import { lists, start } from './start.ts';
import { print, printMissed } from './table.ts';
import { transfers } from './transfer.ts';

print('Lists of tools', lists());
print('Guests', await guests());
const lab = await startLab();
try {
  print('Start', await start(lab.launch));
  const other = await peer(lab);
  const ways: Each<Way> = {
    ours: ours(lab),
    library: await library(lab),
    raw: raw(lab),
    openssh: openssh(lab),
    ...(other && { peer: other }),
  };
  print('First command after start', await firstCommand(ways));
  const roads: Each<Road> = {
    ours: await ways.ours.open(),
    library: await ways.library.open(),
    raw: await ways.raw.open(),
    openssh: await ways.openssh.open(),
    ...(other && { peer: await other.open() }),
  };
  const memories = [memory('started', roads)];
  const all = Object.values(roads) as Road[];
  await Promise.all(all.map(answered));
  memories.push(memory('first command', roads));
  print('One command at a time, p50', await oneAtATime(ways, roads));
  memories.push(memory('one at a time', roads));
  print('50 commands at once', await atOnce(ways, roads));
  memories.push(memory('50 at once', roads));
  print('1,000 commands at once', await crowd(ways.ours, roads.ours));
  memories.push(memory('1,000 at once (ours only)', roads));
  print('1 GiB', await transfers(lab));
  print('Memory of the server', memories);
  for (const road of all) await road.close();
} finally {
  await lab.stop();
}
printMissed();
