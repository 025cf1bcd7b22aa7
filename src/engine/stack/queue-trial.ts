import { isUtf8 } from 'node:buffer';
import { PawlError } from '../../shared/errors.ts';
import { formatMetric } from '../../shared/numbers.ts';
import { type FileEdit, type Idea, MAX_HYPOTHESIS, YOU } from '../../shared/proposers/ideas.ts';
import type { Study } from '../../shared/study.ts';
import { listChangedFiles } from '../git/diff.ts';
import { readBlob } from '../git/repository.ts';
import { queueIdea } from '../proposers/queue-idea.ts';
import { type OpenStack, requireWhole, type StackPorts, withStack } from './stack.ts';

/**
 * Puts the result of a choice into the queue of ideas, so that the study trains exactly that. Rejects with `usage` if
 * it conflicts, was measured already, or cannot be expressed as an edit.
 * @param without a keep to leave out of the choice, to see what it is worth now; null tries the choice itself
 */
export async function queueTrial(
  ports: StackPorts,
  study: Study,
  { order, without }: { readonly order: readonly number[]; readonly without: number | null },
): Promise<Idea> {
  if (without !== null && !order.includes(without)) {
    throw new PawlError('usage', `#${without} is not part of the stack, so there is nothing to leave out.`);
  }
  const left = order.filter(n => n !== without);
  return withStack(ports, study, left, async stack => {
    const { line, tree, placed } = stack;
    const measured = line.measured.get(tree);
    if (measured) {
      const { n, record } = measured;
      const what = `${study.contract.metric.name} ${formatMetric(record.mean)}`;
      throw new PawlError('usage', `Experiment ${n} measured exactly this already: ${what}.`);
    }
    requireWhole(stack);
    const dropped = line.keeps.find(({ n }) => n === without);
    const hypothesis = dropped
      ? `Without #${dropped.n}: ${dropped.hypothesis}`
      : `Stack of ${listOf(placed)}`;
    const rationale = dropped
      ? `Ablation: everything in the stack except #${dropped.n}, to see what that change is worth among the others.`
      : 'A selection of kept changes that has not been measured as a whole.';
    const words = { hypothesis: hypothesis.slice(0, MAX_HYPOTHESIS), rationale, category: 'ablation' };
    return queueIdea(ports, study, { author: YOU, words, edits: await editsOf(stack, ports), again: null });
  });
}

function listOf(placed: OpenStack['placed']): string {
  return placed.map(({ keep }) => `#${keep.n}`).join(', ');
}

/** The edits that turn the best commit's files into the stack's. */
async function editsOf(
  { borrowed, tree, study, line }: OpenStack,
  { ledger }: StackPorts,
): Promise<readonly FileEdit[]> {
  const best = ledger.experiments.incumbent(study.id)?.commit ?? line.base;
  const files = await listChangedFiles(borrowed, best, tree);
  return Promise.all(
    files.map(async ({ path, added }) => {
      // A name spelled by `spellPath`.
      if (path.includes('\0')) throw cannotQueue('The name of a file is not UTF-8');
      const content = await readBlob(borrowed, tree, path);
      if (content === null || added === null || !isUtf8(content)) {
        throw cannotQueue(`${path} is not UTF-8 text, or would be removed`);
      }
      return { path, content: content.toString('utf8') };
    }),
  );
}

function cannotQueue(why: string): PawlError {
  return new PawlError('usage', `${why}: such a stack cannot be put into the queue.`);
}
