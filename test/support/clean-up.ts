import { afterAll, vi } from 'vitest';

/** Runs for each test file: the files of one worker share its variables and globals. */
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
