import { describeSpendPlan } from '../../../shared/proposers/spend-plan.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import type { Client } from '../../host/host.ts';
import { useSettled } from '../../ui/use-settled.ts';
import type { SpendBasisForm } from './set-up-form.ts';

/** What the night will probably cost, beside the limits. */
export function PlannedSpend({ model, basis }: { readonly model: string; readonly basis: SpendBasisForm }) {
  const { experiments, ...question } = basis;
  // A key instead of the question object, which would change with every keystroke.
  const key = useSettled(JSON.stringify({ ...question, model }));
  const asked: Parameters<Client['projects']['spendPlan']>[0] = JSON.parse(key);
  const { value, problem } = useCall(
    asked.model === '' ? null : `spend ${key}`,
    async () => ({ plan: await getClient().projects.spendPlan(asked), model: asked.model }),
    'spend',
  );
  if (model === '' || experiments === 0 || (!value && !problem)) return null;
  return (
    <p className="col-span-2 text-muted text-sm" role="status" aria-label="Planned spend">
      {problem ?? (value && describeSpendPlan(value.plan, value.model, experiments))}
    </p>
  );
}
