/**
 * Several experiments at once: verdicts come in another order than numbers, and the branch does not always move to
 * the commit that was measured.
 */
export const lanes = `
ALTER TABLE experiment ADD COLUMN verdict_order INTEGER;
UPDATE experiment SET verdict_order = n WHERE verdict IS NOT NULL;
ALTER TABLE experiment ADD COLUMN branch_commit TEXT;
CREATE INDEX experiment_verdict_order ON experiment (study_id, verdict_order);
CREATE INDEX experiment_supersedes ON experiment (study_id) WHERE evidence ->> '$.supersedes' IS NOT NULL;
CREATE INDEX experiment_branch_commit ON experiment (study_id, branch_commit) WHERE branch_commit IS NOT NULL;
ALTER TABLE run ADD COLUMN lane TEXT;
ALTER TABLE idea ADD COLUMN pair TEXT;
ALTER TABLE study ADD COLUMN lanes TEXT NOT NULL DEFAULT '[]';
`;
