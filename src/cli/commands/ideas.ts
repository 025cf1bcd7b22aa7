import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { dataPaths } from '../../engine/paths.ts';
import { queueIdea } from '../../engine/proposers/queue-idea.ts';
import { PawlError } from '../../shared/errors.ts';
import { type FileEdit, type Idea, YOU } from '../../shared/proposers/ideas.ts';
import { canRead, proposerLabel } from '../../shared/proposers/proposers.ts';
import { clip, deltaText, tableText } from '../format.ts';
import { type StudyFlags, withOwnStudy } from '../with-study.ts';

/** How many ideas that no longer wait are shown. */
const SHOWN_PAST = 20;

/** Puts an idea into the queue of a study. */
export async function propose(
  words: readonly string[],
  flags: StudyFlags & {
    readonly why?: string;
    readonly expect?: number;
    readonly category?: string;
    readonly file?: readonly string[];
    readonly again?: number;
  },
): Promise<void> {
  await withOwnStudy(flags, async (ledger, study) => {
    const edits = await Promise.all((flags.file ?? []).map(name => readEdit(name, study.repositoryPath)));
    const ports = { ledger, paths: dataPaths(process.env), now: Date.now };
    const idea = await queueIdea(ports, study, {
      author: YOU,
      words: {
        ...{ hypothesis: words.join(' '), rationale: flags.why, predicted_effect: flags.expect },
        category: flags.category,
      },
      ...{ edits, again: flags.again ?? null },
    });
    const place = ledger.ideas.waiting(study.id).findIndex(({ id }) => id === idea.id) + 1;
    const how = idea.files.length === 0 ? 'in words' : `changes ${idea.files.join(', ')}`;
    process.stdout.write(`Idea ${idea.id} waits in ${study.tag}, number ${place} in the queue (${how}).\n`);
    if (idea.files.length === 0 && !canRead(study.proposer)) {
      process.stdout.write(
        `This study's proposer (${proposerLabel(study.proposer)}) cannot read words: the idea waits for one that can, or give the edit with --file.\n`,
      );
    }
  });
}

/** `train.py`: the file in the checkout; or `train.py=/tmp/mine.py`: that file in its place. */
async function readEdit(name: string, repository: string): Promise<FileEdit> {
  const [path = '', from] = name.split('=', 2);
  const file = from === undefined ? join(repository, path) : resolve(from);
  const content = await readFile(file, 'utf8').catch(error => {
    throw new PawlError('usage', `${file} cannot be read: ${(error as Error).message}`);
  });
  return { path, content };
}

/** Shows the queue of a study, or changes it. */
export async function ideas(
  flags: StudyFlags & { readonly drop?: number; readonly first?: number; readonly json?: boolean },
): Promise<void> {
  await withOwnStudy(flags, (ledger, study) => {
    const { drop, first } = flags;
    const gone = (id: number) => new PawlError('usage', `No idea ${id} waits in ${study.tag}.`);
    if (drop !== undefined && !ledger.write(() => ledger.ideas.drop(study.id, drop))) throw gone(drop);
    if (first !== undefined) {
      if (!ledger.ideas.waiting(study.id).some(({ id }) => id === first)) throw gone(first);
      ledger.write(() => ledger.ideas.order(study.id, [first]));
    }
    const waiting = ledger.ideas.waiting(study.id);
    const past = ledger.ideas.past(study.id, SHOWN_PAST);
    if (flags.json) {
      const told = [...waiting, ...past].map(({ edit: _edit, takenAt: _takenAt, ...idea }) => idea);
      process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
      return;
    }
    if (waiting.length + past.length === 0) {
      process.stdout.write('Nothing waits. "pawl propose <idea>" adds to the queue.\n');
      return;
    }
    const rows = [...waiting, ...past].map(idea => [
      String(idea.id),
      stateOf(idea),
      idea.author,
      idea.predictedEffect === null ? '' : deltaText(idea.predictedEffect),
      clip(idea.hypothesis, 80),
      idea.files.join(', ') || 'words',
    ]);
    const heading = ['id', 'state', 'by', 'expected', 'idea', 'edit'];
    const align = ['right', 'left', 'left', 'right', 'left', 'left'] as const;
    process.stdout.write(`${tableText([heading, ...rows], align)}\n`);
  });
}

function stateOf({ state, n, message }: Idea): string {
  if (state === 'taken') return `#${n}`;
  return state === 'refused' ? `refused: ${clip(message ?? '', 60)}` : state;
}
