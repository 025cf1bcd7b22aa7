import { Eye, Undo2 } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ExperimentDetail, RunView } from '../../../shared/notebook.ts';
import { formatMetric } from '../../../shared/numbers.ts';
import { describeEarlyEnd } from '../../../shared/verdicts/early-end.ts';
import { describeGuard } from '../../../shared/verdicts/guard.ts';
import { describeLate } from '../../../shared/verdicts/late.ts';
import { describeHints, describeProbe, isProbeReason } from '../../../shared/verdicts/probes.ts';
import { reasonWords } from '../../../shared/verdicts/reason-words.ts';
import { describeRollBack, describeTakenWith } from '../../../shared/verdicts/repeats.ts';

/** The reasons for the verdict besides the metric. */
export function VerdictNotes({
  detail: { cell, evidence },
  run,
  metric,
}: {
  readonly detail: ExperimentDetail;
  readonly run: RunView | null;
  readonly metric: string;
}) {
  if (!evidence) return null;
  const { guard, probe, rolledBack, takenBackWith, hints, lateParent, screenedOut } = evidence;
  const reason = cell.verdict?.reason ?? '';
  const early = describeEarlyEnd(evidence);
  return (
    <>
      {guard ? (
        <Note
          label="Failed check"
          title={`${guard.kind === 'check' ? 'A check failed' : 'A condition was not met'}, so its number does not count`}
          text={`${describeGuard(guard)}.`}
        >
          <OutputTail lines={guard.tail} />
        </Note>
      ) : null}
      {probe && isProbeReason(reason) ? (
        <Note
          label="Probe"
          title={
            reason === 'not_from_data'
              ? 'Its number does not come from the data'
              : 'It memorised the validation data'
          }
          text={describeProbe(reason, probe)}
        />
      ) : null}
      {reason === 'other_hardware' ? (
        <Note
          label="Other hardware"
          title="It trained on other hardware than the baseline, so its number does not count"
          text={describeOtherHardware(run, metric)}
        />
      ) : null}
      {screenedOut ? (
        <Note
          label="Screening"
          title="No gain on the hardware it trained on, so it was not run on the baseline's"
          text={`${describeOtherHardware(run, metric)} On the hardware of this run, #${screenedOut.experiment} reached ${formatMetric(screenedOut.value)}.`}
        />
      ) : null}
      {rolledBack ? (
        <TakenBack
          text={describeRollBack({ ...rolledBack, n: cell.n, parent: rolledBack.parentExperiment })}
        />
      ) : null}
      {takenBackWith === undefined ? null : <TakenBack text={describeTakenWith(takenBackWith)} />}
      {lateParent ? (
        <Note
          label={cell.otherLine === null ? 'Late result' : 'Other line'}
          title={cell.otherLine === null ? 'The best had changed meanwhile' : 'Started from another line'}
          text={describeLate(evidence, cell.otherLine !== null)}
        />
      ) : null}
      {early === null ? null : (
        <Note label="Ended early" title="Ended early, without a number" text={`It was ${early}.`} />
      )}
      {hints ? (
        <p className="flex items-start gap-2 rounded-md bg-sunken px-3 py-2 text-sm">
          <Eye size={15} aria-hidden className="mt-0.5 shrink-0 text-muted" />
          {describeHints(hints)}
        </p>
      ) : null}
    </>
  );
}

/** The number of the run, and on what it trained. */
function describeOtherHardware(run: RunView | null, metric: string): string {
  const value = run?.summary.find(({ name }) => name === metric)?.value;
  const told = typeof value === 'number' ? formatMetric(value) : value;
  const flag = run?.flags.find(({ kind }) => kind === 'other_hardware');
  return [
    told === undefined ? 'This run has no number.' : `The number of this run: ${metric} ${told}.`,
    ...(flag ? [`It trained ${flag.detail}.`] : []),
  ].join(' ');
}

function Note({
  label,
  title,
  text,
  children,
}: {
  readonly label: string;
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
}) {
  return (
    <section aria-label={label} className="rounded-lg bg-sunken p-3">
      <h4 className="font-medium text-sm">{title}</h4>
      <p className="mt-0.5 break-words text-sm">{text}</p>
      {children}
    </section>
  );
}

function TakenBack({ text }: { readonly text: string }) {
  return (
    <p className="flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm">
      <Undo2 size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
      {text}
    </p>
  );
}

function OutputTail({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
      className="mt-2 max-h-56 overflow-y-auto whitespace-pre-wrap break-words font-mono text-xs leading-relaxed"
    >
      {lines.join('\n')}
    </pre>
  );
}

export function CrashReport({ crash }: { readonly crash: NonNullable<RunView['crash']> }) {
  return (
    <section aria-label="Crash" className="rounded-lg bg-crash-soft p-3">
      <h4 className="font-medium text-crash text-sm">{reasonWords({ reason: crash.class })}</h4>
      <p className="mt-0.5 break-words text-sm">{crash.message}</p>
      <OutputTail lines={crash.tail} />
    </section>
  );
}
