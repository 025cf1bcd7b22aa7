import { Gauge, TriangleAlert } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { describeMetricCheck } from '../../../shared/verdicts/describe-metric-check.ts';
import {
  checkMinutes,
  METRIC_CHECK_HOURS,
  METRIC_CHECK_RUNS,
  type MetricCheckStep,
  progressWords,
} from '../../../shared/verdicts/metric-check.ts';
import { explain } from '../../app/explain.ts';
import { useRunning, useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { numberOf } from './set-up-arm.ts';
import { contractOf, type SetUpForm } from './set-up-form.ts';

/** Runs of the unchanged code, and one of broken code. */
const RUNS = METRIC_CHECK_RUNS.usual + 1;

/**
 * Trains the code a few times before a whole night, and reports what its metric is worth.
 * @param isReady whether the contract is complete enough to train
 * @param agreed the digest of the set-up command that the user agreed to
 * @param onMeasured called when the host has new timings of the code
 */
export function MetricCheck({
  path,
  form,
  isReady,
  agreed,
  onMeasured,
}: {
  readonly path: string;
  readonly form: SetUpForm;
  readonly isReady: boolean;
  readonly agreed: string | null;
  readonly onMeasured: () => void;
}) {
  const isOnline = useStore(state => state.connection.kind === 'online');
  const running = useRunning();
  const [step, setStep] = useState<MetricCheckStep | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isChecking, setIsChecking] = useState(false);
  const [isEnding, setIsEnding] = useState(false);
  /** The settings that were last checked. */
  const [checked, setChecked] = useState('');
  const left = useRef(new AbortController());
  useEffect(() => {
    const own = new AbortController();
    left.current = own;
    // Nobody would read the result.
    return () => own.abort();
  }, []);
  const subject = JSON.stringify([path, contractOf(form), form.gpu]);
  const seconds = numberOf(form.budget);
  const about = seconds !== null && seconds > 0 ? `, about ${checkMinutes(RUNS, seconds)} min` : '';

  const check = async () => {
    const { signal } = left.current;
    setProblem(null);
    setStep(null);
    setIsChecking(true);
    setChecked(subject);
    try {
      const gpu = form.gpu.trim();
      const steps = await getClient().projects.checkMetric(
        {
          ...{ path, runs: METRIC_CHECK_RUNS.usual, breaks: true, contract: contractOf(form) },
          hours: numberOf(form.hours) || METRIC_CHECK_HOURS,
          ...(gpu === '' ? {} : { gpu }),
          ...(agreed === null ? {} : { agreesSetUp: agreed }),
        },
        { signal },
      );
      for await (const next of steps) {
        setStep(next);
        if (next.kind === 'measured') onMeasured();
      }
    } catch (error) {
      if (signal.aborted) return;
      setStep(null);
      setProblem(explain(error));
    }
    setIsChecking(false);
    setIsEnding(false);
  };
  const end = async () => {
    setIsEnding(true);
    await getClient()
      .projects.endMetricCheck()
      .catch(error => setProblem(explain(error)));
  };

  return (
    <section
      aria-label="Metric check"
      className="mb-7 flex flex-col gap-3 rounded-lg border border-line px-4 py-3"
    >
      <div className="flex items-center justify-between gap-4">
        <p className="text-muted text-sm">
          Is this metric worth a night? The unchanged code is trained {METRIC_CHECK_RUNS.usual} times, and
          once with a constant broken on purpose; if its number is always the same, twice more with other
          seeds. It leaves nothing in the repository.
        </p>
        {isChecking ? (
          <Button disabled={isEnding} onClick={() => void end()}>
            {isEnding ? 'Stopping …' : 'Stop the check'}
          </Button>
        ) : (
          <Button disabled={!isReady || !isOnline || running !== null} onClick={() => void check()}>
            <Gauge size={15} aria-hidden /> Check the metric ({RUNS} runs{about})
          </Button>
        )}
      </div>
      {isChecking ? (
        <p role="status" className="text-sm">
          {step?.kind === 'progress' ? progressWords(step.progress) : 'Getting ready …'}
        </p>
      ) : null}
      <Problem>{problem}</Problem>
      <Outcome step={step} />
      {step?.kind === 'measured' && checked !== subject ? (
        <p className="text-sm text-warn">The form has changed since.</p>
      ) : null}
    </section>
  );
}

function Outcome({ step }: { readonly step: MetricCheckStep | null }) {
  if (step === null || step.kind === 'progress') return null;
  if (step.kind === 'stopped')
    return <p className="text-sm">The check was stopped and has left nothing behind.</p>;
  if (step.kind === 'failed') {
    return (
      <div role="alert" className="text-sm">
        <p className="text-crash">The unchanged code gave no valid number. {step.message}</p>
        {step.tail.length > 0 ? (
          <pre className="mt-2 max-h-48 overflow-auto whitespace-pre-wrap break-words rounded bg-sunken px-2 py-1.5 font-mono text-xs">
            {step.tail.join('\n')}
          </pre>
        ) : null}
      </div>
    );
  }
  return (
    <ul aria-label="What the metric is worth" className="flex flex-col gap-1.5 text-sm">
      {describeMetricCheck(step.check).map(({ isWarning, text }) => (
        <li key={text} className="flex gap-2">
          {isWarning ? (
            <TriangleAlert size={15} role="img" aria-label="warning" className="mt-0.5 shrink-0 text-warn" />
          ) : (
            <span aria-hidden className="w-[15px] shrink-0 text-center text-muted">
              ·
            </span>
          )}
          <span className="min-w-0 break-words">{text}</span>
        </li>
      ))}
    </ul>
  );
}
