import { create } from 'zustand';
import type { ReviewComment } from '../../../shared/review.ts';

/** What the user has written about a proposal but not sent; kept while other screens are shown. */
export type ReviewDraft = {
  readonly text: string;
  readonly comments: readonly ReviewComment[];
  /** Files that the user is changing by hand; null while the diff is shown. */
  readonly files: Readonly<Record<string, string>> | null;
  /** One line about what the changed files try. */
  readonly title: string;
  readonly isSending: boolean;
};

const EMPTY: ReviewDraft = { text: '', comments: [], files: null, title: '', isSending: false };

/** Only one, because only one proposal waits. */
const useDraft = create<{ readonly id: number | null; readonly draft: ReviewDraft }>(() => ({
  id: null,
  draft: EMPTY,
}));

export function useReviewDraft(id: number): ReviewDraft {
  return useDraft(state => (state.id === id ? state.draft : EMPTY));
}

export function changeReviewDraft(id: number, change: (draft: ReviewDraft) => Partial<ReviewDraft>): void {
  useDraft.setState(state => {
    const draft = state.id === id ? state.draft : EMPTY;
    return { id, draft: { ...draft, ...change(draft) } };
  });
}
