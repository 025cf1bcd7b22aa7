// Before all tests of a run of Vitest.
export { buildPawl as setup } from './pawl-command.ts';
