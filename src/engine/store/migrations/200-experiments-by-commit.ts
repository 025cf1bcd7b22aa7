/** Which experiment made a commit: what an experiment was built on is followed from commit to commit. */
export const experimentsByCommit = `
CREATE INDEX experiment_commit ON experiment (study_id, attempt_commit);
`;
