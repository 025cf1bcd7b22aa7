import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { gitIn } from '../git/worktree.ts';
import type { Proposer } from './proposer.ts';

/** Remembers the place in the folder: the patches named in the history, among the refusals and by running experiments. */
type Memo = { readonly patch: string };

/**
 * Replays a folder of `.patch` files in the order of their names (numbers by value), each on the current incumbent. A
 * patch that does not apply is recorded as refused, and the next one is tried.
 */
export function patchesProposer(folder: string): Proposer {
  return {
    canRepair: false,
    maxRefusals: Number.POSITIVE_INFINITY,
    async propose(request, { worktree, signal }) {
      const done = new Set(
        [...request.history, ...request.refusals, ...request.running].map(
          entry => (entry.memo as Memo | null)?.patch,
        ),
      );
      const names = (await readdir(folder)).filter(name => name.endsWith('.patch'));
      names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      const patch = names.find(name => !done.has(name));
      if (patch === undefined)
        return { kind: 'exhausted', message: `All ${names.length} patches have been tried.` };
      const content = await readFile(join(folder, patch));
      const memo: Memo = { patch };
      try {
        await gitIn(worktree, ['apply', '--whitespace=nowarn', '-'], { stdin: content, signal });
      } catch (error) {
        if (!(error instanceof PawlError) || error.code !== 'git_failed') throw error;
        return { kind: 'failed', message: `${patch} does not apply: ${error.message}`, memo };
      }
      const { subject, body } = readHeader(content.toString('utf8'));
      return {
        kind: 'proposed',
        proposal: {
          hypothesis: subject ?? patch.replace(/\.patch$/, ''),
          rationale: body,
          predictedEffect: null,
          category: 'patch',
          memo,
        },
      };
    },
  };
}

/** The mail header that `git format-patch` writes, or the plain text above the first `diff`. */
function readHeader(text: string): { subject: string | null; body: string | null } {
  const head = text.split(/^(?:diff --git |--- |Index: )/m)[0] ?? '';
  const mail = /^Subject: *(?:\[PATCH[^\]]*\] *)?(.+(?:\n[ \t].+)*)\n*([\s\S]*)$/m.exec(head);
  const subject = mail?.[1]?.replace(/\n\s+/g, ' ') ?? head.split('\n').find(line => line.trim() !== '');
  const rest = mail ? mail[2] : head.split('\n').slice(1).join('\n');
  const body = rest?.replace(/^---[\s\S]*$/m, '').trim();
  return { subject: subject?.trim() || null, body: body || null };
}
