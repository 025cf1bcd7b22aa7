import { type ReactNode, useEffect, useRef, useState } from 'react';
import { betterSide, type Goal } from '../../../shared/contract/contract.ts';
import type { GoalSource, ImportAnswer, ImportQuestion } from '../../../shared/imports.ts';
import { counted } from '../../../shared/numbers.ts';
import { openStudy } from '../../app/actions.ts';
import { explain } from '../../app/explain.ts';
import { type ImportSource, readDropped } from '../../app/import-source.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, TextInput } from '../../ui/field.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { SelectField } from '../../ui/select.tsx';

type Answers = { readonly goal?: Goal; readonly metric?: string };
type Done = Extract<ImportAnswer, { kind: 'imported' }>;

type Step =
  | { readonly kind: 'choose'; readonly problem: string | null }
  | { readonly kind: 'reading' }
  | { readonly kind: 'question'; readonly question: ImportQuestion }
  | { readonly kind: 'done'; readonly done: Done };

/** Imports results as a read-only study; asks what their file leaves open, and lists what was left out. */
export function ImportDialog({
  source: given,
  pathOfFile,
  onClose,
}: {
  readonly source: ImportSource | null;
  readonly pathOfFile: (file: File) => string | null;
  readonly onClose: () => void;
}) {
  const [step, setStep] = useState<Step>({ kind: 'choose', problem: null });
  const source = useRef<ImportSource | null>(null);
  const answers = useRef<Answers>({});
  const run = async (answer: Answers) => {
    if (!source.current) return;
    answers.current = { ...answers.current, ...answer };
    setStep({ kind: 'reading' });
    try {
      const came = await getClient().studies.import({ source: source.current, ...answers.current });
      if (came.kind === 'question') setStep({ kind: 'question', question: came.question });
      else if (came.skippedCount === 0 && came.goalFrom !== 'keeps' && !came.isProven)
        openStudy(came.card.id);
      else setStep({ kind: 'done', done: came });
    } catch (error) {
      setStep({ kind: 'choose', problem: explain(error) });
    }
  };
  const choose = (chosen: ImportSource) => {
    source.current = chosen;
    answers.current = {};
    void run({});
  };
  const begun = useRef(false);
  useEffect(() => {
    if (given === null || begun.current) return;
    begun.current = true;
    choose(given);
  });
  return (
    <Dialog
      title="Import results from elsewhere"
      description="They become a study that can be read, searched and compared, but not run."
      onClose={onClose}
    >
      {step.kind === 'choose' ? (
        <ChooseSource
          refused={source.current}
          problem={step.problem}
          pathOfFile={pathOfFile}
          onChoose={choose}
        />
      ) : null}
      {step.kind === 'reading' ? <Loading className="">Reading …</Loading> : null}
      {step.kind === 'question' ? <Question question={step.question} onAnswer={run} /> : null}
      {step.kind === 'done' ? <Summary done={step.done} /> : null}
    </Dialog>
  );
}

function ChooseSource({
  refused,
  problem,
  pathOfFile,
  onChoose,
}: {
  /** What was chosen before and could not be imported. */
  readonly refused: ImportSource | null;
  readonly problem: string | null;
  readonly pathOfFile: (file: File) => string | null;
  readonly onChoose: (source: ImportSource) => void;
}) {
  const [path, setPath] = useState(refused && 'path' in refused ? refused.path : '');
  const [unread, setUnread] = useState<string | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    const read = await readDropped(file, pathOfFile);
    if (typeof read === 'string') setUnread(read);
    else onChoose(read);
  };
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        if (path.trim() !== '') onChoose({ path });
      }}
      className="flex flex-col gap-4"
    >
      <Field
        label="Path of a file or folder"
        problem={unread ?? problem}
        hint="A table (TSV, CSV, JSON lines), or a tracker's files."
      >
        {ids => (
          <div className="flex gap-2">
            <TextInput
              {...ids}
              value={path}
              placeholder="~/autoresearch/results.tsv"
              onChange={event => setPath(event.target.value)}
            />
            <Button type="submit" kind="primary" disabled={path.trim() === ''}>
              Import
            </Button>
          </div>
        )}
      </Field>
      <div>
        <Button onClick={() => picker.current?.click()}>Choose a file …</Button>
        <input
          ref={picker}
          type="file"
          aria-label="File of results"
          className="hidden"
          onChange={event => void take(event.target.files?.[0])}
        />
      </div>
    </form>
  );
}

function Question({
  question,
  onAnswer,
}: {
  readonly question: ImportQuestion;
  readonly onAnswer: (answer: Answers) => Promise<void>;
}) {
  const [metric, setMetric] = useState('');
  if (question.kind === 'goal') {
    const { metricName, why } = question;
    return (
      <div className="flex flex-col gap-4">
        <p className="text-sm">
          Is a lower or a higher <strong className="break-words font-medium">{metricName}</strong> better?{' '}
          <span className="text-muted">{`${why[0]?.toUpperCase()}${why.slice(1)}.`}</span>
        </p>
        <Buttons>
          <Button onClick={() => void onAnswer({ goal: 'minimize' })}>Lower is better</Button>
          <Button onClick={() => void onAnswer({ goal: 'maximize' })}>Higher is better</Button>
        </Buttons>
      </div>
    );
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        if (metric !== '') void onAnswer({ metric });
      }}
      className="flex flex-col gap-4"
    >
      <SelectField
        label="Which of these is the metric?"
        hint="The number that decided what was kept."
        value={metric}
        options={[
          { value: '', label: 'Choose …' },
          ...question.names.map(name => ({ value: name, label: name })),
        ]}
        onChange={setMetric}
      />
      <Buttons>
        <Button kind="primary" type="submit" disabled={metric === ''}>
          Import
        </Button>
      </Buttons>
    </form>
  );
}

const TOLD: Readonly<Record<GoalSource, string>> = {
  given: 'as you chose',
  file: 'as the file says',
  name: 'as its name says',
  keeps: 'as the kept rows show',
};

function Summary({ done: { card, goalFrom, isProven, skipped, skippedCount } }: { readonly done: Done }) {
  const { metric } = card.contract;
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p>
        {counted(card.cells, 'experiment')} imported as <strong className="font-medium">{card.tag}</strong>.{' '}
        {metric.name}: {betterSide(metric.goal)} is better, {TOLD[goalFrom]}.
        {isProven ? ' Of several numbers it is the one that agrees with the kept rows.' : ''}
      </p>
      {skippedCount > 0 ? (
        <section aria-label="Skipped">
          <h3 className="mb-1 font-medium">
            {skippedCount} {skippedCount === 1 ? 'row was' : 'rows were'} skipped
          </h3>
          <ul className="max-h-48 overflow-y-auto">
            {skipped.map(({ line, reason }) => (
              <li key={`${line} ${reason}`} className="break-words">
                {line === null ? null : <span className="tabular text-muted">line {line}: </span>}
                {reason}
              </li>
            ))}
          </ul>
          {skippedCount > skipped.length ? (
            <p className="text-muted">And {skippedCount - skipped.length} more.</p>
          ) : null}
        </section>
      ) : null}
      <Buttons>
        <Button kind="primary" onClick={() => openStudy(card.id)}>
          Open the notebook
        </Button>
      </Buttons>
    </div>
  );
}

function Buttons({ children }: { readonly children: ReactNode }) {
  return <div className="flex justify-end gap-2">{children}</div>;
}
