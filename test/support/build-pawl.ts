// Runs before all tests of a Vitest run.
export { buildPawl as setup } from './pawl-command.ts';
