/**
 * Whether the runners write their results to `test-results/`, for `scripts/sum-tests.mjs` and
 * `scripts/slowest-files.mjs`.
 */
export const WRITES_REPORTS = Boolean(process.env.CI || process.env.PAWL_TEST_REPORTS);
