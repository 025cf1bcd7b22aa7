import { create } from 'zustand';
import type { EditableFiles, FileEdit, IdeaDescription, IdeaWords } from '../../../shared/proposers/ideas.ts';

/** The words of an idea, as typed into the fields. */
export type WordsDraft = {
  readonly hypothesis: string;
  readonly rationale: string;
  readonly effect: string;
  readonly category: string;
};

/** An idea that the user is writing; kept while other screens are shown. */
export type IdeaDraft = WordsDraft & {
  /** The files when they were opened; null while there is no edit. */
  readonly opened: EditableFiles | null;
  /** The changed files, by path. */
  readonly files: Readonly<Record<string, string>>;
};

const EMPTY_WORDS: WordsDraft = { hypothesis: '', rationale: '', effect: '', category: '' };
const EMPTY: IdeaDraft = { ...EMPTY_WORDS, opened: null, files: {} };

/** By study, and by the experiment to try again. */
const useDrafts = create<Readonly<Record<string, IdeaDraft | undefined>>>(() => ({}));

const keyOf = (study: string, again: number | null) => `${study} ${again}`;

export function useIdeaDraft(study: string, again: number | null): IdeaDraft {
  return useDrafts(drafts => drafts[keyOf(study, again)] ?? EMPTY);
}

export function changeIdeaDraft(study: string, again: number | null, patch: Partial<IdeaDraft>): void {
  const key = keyOf(study, again);
  useDrafts.setState(drafts => ({ [key]: { ...(drafts[key] ?? EMPTY), ...patch } }));
}

/** Starts a draft with these words, unless there is one. */
export function beginIdeaDraft(study: string, again: number | null, words: Partial<WordsDraft>): void {
  if (!useDrafts.getState()[keyOf(study, again)]) changeIdeaDraft(study, again, words);
}

/** Ends the draft that was added. What the user has written since then stays. */
export function clearIdeaDraft(study: string, again: number | null, added: IdeaDraft): void {
  const key = keyOf(study, again);
  useDrafts.setState(drafts => ({ [key]: sinceThen(drafts[key] ?? added, added) }));
}

/** The parts of a draft that were not in it before; undefined if there are none. */
function sinceThen(now: IdeaDraft, before: IdeaDraft): IdeaDraft | undefined {
  const fresh = Object.entries(now).filter(([name, part]) => part !== before[name as keyof IdeaDraft]);
  return fresh.length === 0 ? undefined : { ...EMPTY, ...Object.fromEntries(fresh) };
}

export function hasIdeaDraft(study: string, again: number | null): boolean {
  return useDrafts.getState()[keyOf(study, again)] !== undefined;
}

/** The draft's changes to the files it was opened with. */
export function editsOf({ opened, files }: IdeaDraft): readonly FileEdit[] {
  return (opened?.files ?? []).flatMap(({ path, text }) => {
    const content = files[path];
    return content === undefined || content === text ? [] : [{ path, content }];
  });
}

/** The expected change of the metric: NaN for an invalid number, null if empty. */
export function effectOf(text: string): number | null {
  const plain = text.trim().replace('−', '-');
  if (plain === '') return null;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : Number.NaN;
}

/** Null if they are incomplete or invalid. */
export function wordsOf({ hypothesis, rationale, effect, category }: WordsDraft): IdeaWords | null {
  const predicted = effectOf(effect);
  if (hypothesis.trim() === '' || (predicted !== null && !Number.isFinite(predicted))) return null;
  return {
    hypothesis: hypothesis.trim(),
    rationale: rationale.trim() || null,
    predicted_effect: predicted,
    category: category.trim() || null,
  };
}

export function draftOf(idea: IdeaDescription): WordsDraft {
  return {
    hypothesis: idea.hypothesis,
    rationale: idea.rationale ?? '',
    effect: idea.predictedEffect === null ? '' : String(idea.predictedEffect),
    category: idea.category ?? '',
  };
}
