import { Check, Eye, MessageSquareReply, PenLine, ShieldX } from 'lucide-react';
import { type ReactNode, useMemo } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted, formatDayTime, formatDelta } from '../../../shared/numbers.ts';
import type { Decision, ReviewView } from '../../../shared/review.ts';
import { describeHints } from '../../../shared/verdicts/probes.ts';
import { attempt } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { TextArea, TextInput } from '../../ui/field.tsx';
import { CodeEditor } from '../../viewers/code-editor.tsx';
import { type DiffRemarks, DiffRemarksContext } from '../../viewers/diff-remarks.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { changeReviewDraft, useReviewDraft } from './review-draft.ts';

/** The proposal that waits for the user: its description, its changes, and the possible decisions. */
export function ReviewPanel({
  card,
  n,
  review,
}: {
  readonly card: StudyCard;
  readonly n: number;
  /** The review's id. */
  readonly review: number;
}) {
  const study = card.id;
  const { value, problem, again } = useCall(`${study}:${n}:${review}`, () =>
    getClient().studies.review({ study, n }),
  );
  if (problem) {
    return (
      <EmptyState title="The proposal could not be read">
        {problem}{' '}
        <button type="button" className="text-accent underline" onClick={again}>
          Try again
        </button>
      </EmptyState>
    );
  }
  if (!value) return <p className="p-5 text-muted text-sm">Reading the proposal …</p>;
  return <Review key={value.id} card={card} review={value} />;
}

function Review({ card, review }: { readonly card: StudyCard; readonly review: ReviewView }) {
  const { proposal, n } = review;
  const draft = useReviewDraft(review.id);
  const mode = useStore(state => state.settings.diff);
  const remarks: DiffRemarks = useMemo(
    () => ({
      list: draft.comments,
      put: remark =>
        changeReviewDraft(review.id, ({ comments }) => {
          const isAt = ({ path, side, line }: typeof remark) =>
            path === remark.path && side === remark.side && line === remark.line;
          return {
            comments: comments.some(isAt)
              ? comments.map(known => (isAt(known) ? remark : known))
              : [...comments, remark],
          };
        }),
      drop: remark =>
        changeReviewDraft(review.id, ({ comments }) => ({
          comments: comments.filter(known => known !== remark),
        })),
    }),
    [draft.comments, review.id],
  );
  return (
    <section aria-label="Proposal that waits for you" className="flex min-h-0 flex-1 flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto px-6 py-4">
        <p className="text-muted text-sm">
          {review.isRepair ? 'Repair of experiment' : 'Experiment'} {n} has been waiting for you since{' '}
          {formatDayTime(review.at, Date.now())}
        </p>
        <h2 className="mt-1 break-words font-semibold text-lg">{proposal.hypothesis}</h2>
        <dl className="mt-1 flex flex-wrap gap-x-6 text-sm">
          <Fact name="category">{proposal.category ?? 'none'}</Fact>
          <Fact name={`expected change of ${card.contract.metric.name}`}>
            {proposal.predictedEffect === null ? 'not said' : formatDelta(proposal.predictedEffect)}
          </Fact>
        </dl>
        {review.hints.length > 0 ? (
          <p className="mt-2 flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm">
            <Eye size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
            {describeHints(review.hints)}
          </p>
        ) : null}
        {proposal.rationale ? (
          <p className="mt-3 max-w-3xl whitespace-pre-wrap break-words text-sm">{proposal.rationale}</p>
        ) : null}
        <div className="mt-4 overflow-hidden rounded-lg border border-line">
          {draft.files ? (
            <Files review={review} />
          ) : (
            <DiffRemarksContext value={remarks}>
              <LazyDiffView
                diff={review.diff}
                isCut={review.isCut}
                mode={mode}
                onMode={diff => void saveSettings({ diff })}
                label={`Changes of the proposal for experiment ${n}`}
              />
            </DiffRemarksContext>
          )}
        </div>
        {draft.files ? null : (
          <p className="mt-2 text-muted text-xs">Press the number of a line to comment on it.</p>
        )}
      </div>
      <Verdict card={card} review={review} />
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-muted">{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  );
}

/** The proposal's files as editable text. */
function Files({ review }: { readonly review: ReviewView }) {
  const { files } = useReviewDraft(review.id);
  return review.files.map(({ path, text, before }) => (
    <div key={path} className="border-line border-b last:border-b-0">
      <p className="bg-sunken px-3 py-1.5 font-mono text-xs">{path}</p>
      <div className="h-[max(16rem,50vh)]">
        <CodeEditor
          path={path}
          before={before}
          label={path}
          value={files?.[path] ?? text}
          onChange={value =>
            changeReviewDraft(review.id, draft => ({ files: { ...draft.files, [path]: value } }))
          }
        />
      </div>
    </div>
  ));
}

/** The user's possible decisions, always visible. */
function Verdict({ card, review }: { readonly card: StudyCard; readonly review: ReviewView }) {
  const draft = useReviewDraft(review.id);
  const isOnline = useStore(state => state.connection.kind === 'online');
  const canDecide =
    isOnline && card.state === 'running' && card.current?.phase === 'reviewing' && !draft.isSending;
  const change = (patch: Parameters<typeof changeReviewDraft>[1]) => changeReviewDraft(review.id, patch);
  const decide = async (decision: Decision, done: string) => {
    change(() => ({ isSending: true }));
    await attempt(() => getClient().studies.decide({ study: card.id, review: review.id, decision }), done);
    change(() => ({ isSending: false }));
  };
  const comments = draft.comments.filter(({ text }) => text.trim() !== '');
  const changed = Object.fromEntries(
    review.files.flatMap(({ path, text }) => {
      const own = draft.files?.[path];
      return own === undefined || own === text ? [] : [[path, own]];
    }),
  );
  const isChanged = Object.keys(changed).length > 0;
  const hasRemarks = comments.length > 0 || draft.text.trim() !== '';
  return (
    <div
      role="group"
      aria-label="Your decision"
      className="screen-foot flex flex-wrap items-end gap-2 border-line border-t bg-surface px-6 py-2"
    >
      {draft.files ? null : (
        <TextArea
          aria-label="Remarks"
          placeholder="Remarks or reason"
          title="They go back to the proposer together with your comments on lines; if you reject it, they are remembered as the reason."
          rows={1}
          maxLength={4_000}
          value={draft.text}
          onChange={event => change(() => ({ text: event.target.value }))}
          className="field-sizing-content max-h-40 min-w-40 flex-1 resize-none"
        />
      )}
      {isChanged ? (
        <TextInput
          aria-label="What it now tries"
          title="One line, shown wherever this experiment is listed. Leave empty to describe it by its changes."
          maxLength={300}
          placeholder={`What it now tries, if not: ${review.proposal.hypothesis}`}
          value={draft.title}
          onChange={event => change(() => ({ title: event.target.value }))}
          className="min-w-60 flex-1"
        />
      ) : null}
      <Button
        kind="primary"
        disabled={!canDecide}
        onClick={() =>
          void decide(
            {
              kind: 'approve',
              files: changed,
              ...(isChanged && draft.title.trim() ? { title: draft.title } : {}),
            },
            `Experiment ${review.n} goes ahead.`,
          )
        }
      >
        <Check size={15} aria-hidden /> {isChanged ? 'Approve with my changes' : 'Approve'}
      </Button>
      {draft.files ? (
        <Button onClick={() => change(() => ({ files: null }))}>
          {isChanged ? 'Discard my changes' : 'Back to the diff'}
        </Button>
      ) : (
        <>
          <Button
            disabled={review.files.length === 0}
            title={review.files.length === 0 ? 'It has no text to edit.' : undefined}
            onClick={() => change(() => ({ files: {} }))}
          >
            <PenLine size={15} aria-hidden /> Edit
          </Button>
          <Button
            disabled={!canDecide || !hasRemarks}
            title={hasRemarks ? undefined : 'Write a remark, or comment on a line.'}
            onClick={() =>
              void decide(
                { kind: 'send_back', text: draft.text.trim(), comments },
                'Your remarks were sent to the proposer.',
              )
            }
          >
            <MessageSquareReply size={15} aria-hidden /> Send back
            {comments.length > 0 ? (
              <>
                <span className="sr-only"> with {counted(comments.length, 'comment')}</span>
                <span aria-hidden className="tabular rounded-full bg-sunken px-1.5 text-xs">
                  {comments.length}
                </span>
              </>
            ) : null}
          </Button>
          <Button
            kind="danger"
            disabled={!canDecide || draft.text.trim() === ''}
            title={draft.text.trim() === '' ? 'Write the reason first.' : undefined}
            onClick={() =>
              void decide({ kind: 'reject', reason: draft.text }, 'Rejected; the reason is remembered.')
            }
          >
            <ShieldX size={15} aria-hidden /> Reject
          </Button>
        </>
      )}
      {card.state === 'running' ? null : (
        <p className="basis-full text-sm text-warn">
          {card.state === 'paused'
            ? 'The study is paused. Continue it to decide.'
            : 'The study is stopped. Resume it to decide.'}
        </p>
      )}
    </div>
  );
}
