/** Why an experiment that was interrupted or put off waits. */
export const whyExperimentsWait = 'ALTER TABLE experiment ADD COLUMN why_waiting TEXT;';
