import { type FormEvent, useState } from 'react';
import type { ExperimentDetail, StudyCard } from '../../../shared/notebook.ts';
import { formatExactTime } from '../../../shared/numbers.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';

/** Lets the user enter a number that arrives after the training. */
export function AwaitedNumber({
  card,
  detail,
}: {
  readonly card: StudyCard;
  readonly detail: ExperimentDetail;
}) {
  const { n } = detail.cell;
  const [value, setValue] = useState('');
  const [source, setSource] = useState('');
  const [isSent, setSent] = useState(false);
  const { awaitedUntil } = detail;
  if (awaitedUntil === null) return null;
  const { name, command } = card.contract.metric;
  const number = value.trim() === '' || !Number.isFinite(Number(value)) ? null : Number(value);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (number === null) return;
    if (
      await attempt(() => getClient().experiments.enterNumber({ study: card.id, n, value: number, source }))
    ) {
      setSent(true);
    }
  };
  return (
    <section aria-label="Awaited number" className="rounded-lg bg-sunken p-3">
      <h4 className="font-medium text-sm">Trained; its {name} is still to come</h4>
      <p className="mt-0.5 text-muted text-sm">
        {command === null
          ? 'Type it in when you have it'
          : 'A command checks for it now and then, or you type it in'}
        , until {formatExactTime(awaitedUntil)}. After that it counts as not measured.
      </p>
      {isSent ? (
        <p className="mt-2 text-sm">
          Saved{card.state === 'running' ? '.' : '; it counts once the study continues.'}
        </p>
      ) : (
        <form onSubmit={event => void send(event)} className="mt-2 flex flex-wrap items-end gap-2">
          <TextInput
            aria-label={name}
            placeholder={name}
            inputMode="decimal"
            className="w-40"
            value={value}
            onChange={event => setValue(event.target.value)}
          />
          <TextInput
            aria-label="Where it comes from"
            placeholder="Where it comes from"
            maxLength={500}
            className="min-w-0 flex-1"
            value={source}
            onChange={event => setSource(event.target.value)}
          />
          <Button type="submit" disabled={number === null || source.trim() === ''}>
            Enter
          </Button>
        </form>
      )}
    </section>
  );
}
