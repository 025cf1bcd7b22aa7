// Another Pawl, as far as the data folder can tell: takes its lock and keeps it until it is killed.
import { takeEngineLock } from '../../src/engine/ledger/engine-lock.ts';
import { dataPaths } from '../../src/engine/paths.ts';

takeEngineLock(dataPaths({ PAWL_HOME: process.argv[2] }), {
  pid: process.pid,
  host: 'terminal',
  startedAt: Date.now(),
  repository: null,
});
console.log('held');
setInterval(() => {}, 60_000);
