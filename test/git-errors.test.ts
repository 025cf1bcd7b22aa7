import { expect, test } from 'vitest';
import { gitFailure } from '../src/engine/git/git-errors.ts';

/** What git 2.39 says where its own process cannot be brought to the same fault at a known instant. */
test.each([
  ['disk_full', 'error: unable to write file .git/objects/c5/15: No space left on device'],
  ['disk_full', 'fatal: unable to write new_index file'],
  ['disk_full', 'fatal: unable to write new index file'],
  // A `git prune` beside it has just removed the folder.
  ['git_failed', 'error: unable to write file .git/objects/c5/15: No such file or directory'],
  ['git_failed', 'error: unable to write file .git/objects/c5/15: Input/output error'],
  ['repository_unwritable', 'error: unable to write file .git/objects/c5/15: Permission denied'],
])('%s: %s', (code, stderr) => {
  expect(gitFailure('/r', ['commit'], 128, stderr)).toMatchObject({ code });
});
