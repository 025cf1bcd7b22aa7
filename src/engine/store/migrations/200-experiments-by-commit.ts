/** Finds the experiment that made a commit, so that ancestors can be followed from commit to commit. */
export const experimentsByCommit = `
CREATE INDEX experiment_commit ON experiment (study_id, attempt_commit);
`;
