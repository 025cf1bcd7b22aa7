// Acts as another Pawl that uses the data folder: it takes the folder's lock and keeps it until it is killed.

import { dataPaths } from '../../src/engine/paths.ts';
import { takeEngineLock } from '../../src/engine/store/engine-lock.ts';

takeEngineLock(dataPaths({ PAWL_HOME: process.argv[2] }), {
  pid: process.pid,
  host: 'terminal',
  startedAt: Date.now(),
  repository: null,
});
console.log('held');
setInterval(() => {}, 60_000);
