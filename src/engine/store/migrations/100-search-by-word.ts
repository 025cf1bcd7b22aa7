/** Words as they are written, in addition to their stems: a stem does not start with every prefix of its word. */
export const searchByWord = `
CREATE VIRTUAL TABLE experiment_word USING fts5 (
  hypothesis, rationale, notes, content = '', contentless_delete = 1, tokenize = 'unicode61', prefix = '2 3'
);
INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
SELECT id, hypothesis, rationale, (SELECT group_concat(text, char(10)) FROM note WHERE experiment_id = experiment.id)
FROM experiment WHERE hypothesis IS NOT NULL;
CREATE TRIGGER experiment_word_insert AFTER INSERT ON experiment WHEN new.hypothesis IS NOT NULL BEGIN
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  VALUES (new.id, new.hypothesis, new.rationale, '');
END;
CREATE TRIGGER experiment_word_update AFTER UPDATE OF hypothesis, rationale ON experiment BEGIN
  DELETE FROM experiment_word WHERE rowid = old.id;
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  SELECT new.id, new.hypothesis, new.rationale, coalesce(group_concat(text, char(10)), '')
  FROM note WHERE experiment_id = new.id;
END;
CREATE TRIGGER experiment_word_delete AFTER DELETE ON experiment BEGIN
  DELETE FROM experiment_word WHERE rowid = old.id;
END;
CREATE TRIGGER experiment_word_note AFTER INSERT ON note BEGIN
  DELETE FROM experiment_word WHERE rowid = new.experiment_id;
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  SELECT e.id, e.hypothesis, e.rationale, coalesce(group_concat(n.text, char(10)), '')
  FROM experiment e JOIN note n ON n.experiment_id = e.id WHERE e.id = new.experiment_id GROUP BY e.id;
END;
`;
