import type { MetricCheckProgress, MetricCheckStep } from '../../shared/verdicts/metric-check.ts';
import type { MetricCheckInput } from '../metric-check/check-metric.ts';
import type { Service } from './service.ts';

/** The progress of a metric check; the last step is its outcome. The check ends when the reader stops reading. */
export async function* followMetricCheck(
  service: Service,
  input: MetricCheckInput,
  signal: AbortSignal | undefined,
): AsyncGenerator<MetricCheckStep> {
  const left = new AbortController();
  const waiting: MetricCheckProgress[] = [];
  let wake = Promise.withResolvers<void>();
  const checked = service.checkMetric(
    input,
    AbortSignal.any([left.signal, ...(signal ? [signal] : [])]),
    progress => {
      waiting.push(progress);
      wake.resolve();
    },
  );
  let isOver = false;
  const over = checked.then(
    () => {},
    () => {},
  );
  void over.then(() => {
    isOver = true;
    wake.resolve();
  });
  try {
    while (!isOver) {
      await wake.promise;
      wake = Promise.withResolvers();
      for (const progress of waiting.splice(0)) yield { kind: 'progress', progress };
    }
    yield await checked;
  } finally {
    left.abort(new DOMException('nobody reads on', 'AbortError'));
    await over;
  }
}
