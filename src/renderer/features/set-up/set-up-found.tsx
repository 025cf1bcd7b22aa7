import {
  type AskedName,
  FINDING_LABELS,
  type Finding,
  findingWords,
  sortFindings,
  type Unclear,
} from '../../../shared/contract/findings.ts';
import { Button } from '../../ui/button.tsx';
import type { SetUpForm } from './set-up-form.ts';

/** The field that answers each question. */
const FIELDS = {
  editable: 'editable',
  train: 'train',
  metric: 'metric',
  goal: 'goal',
} as const satisfies Record<AskedName, keyof SetUpForm>;

/** What is still unclear: a sentence for each field that is still empty. */
export function unclearFields(
  unclear: readonly Unclear[],
  form: SetUpForm,
): Partial<Record<AskedName, string>> {
  const open = unclear.filter(({ name }) => form[FIELDS[name]].trim() === '');
  return Object.fromEntries(open.map(({ name, why }) => [name, why]));
}

/** What the repository says about its contract, with sources, and what it leaves open. */
export function Found({
  findings,
  unclear,
  form,
  onChange,
}: {
  readonly findings: readonly Finding[];
  readonly unclear: readonly Unclear[];
  readonly form: SetUpForm;
  readonly onChange: (patch: Partial<SetUpForm>) => void;
}) {
  const sorted = sortFindings(findings);
  const rules = sorted.filter(({ name }) => name === 'rules');
  const others = sorted.filter(({ name }) => name !== 'rules');
  const open = unclear.filter(({ name }) => form[FIELDS[name]].trim() === '');
  return (
    <section aria-label="Found" className="mb-7 rounded-lg border border-line px-4 py-3">
      <h2 className="mb-1 font-medium text-base">Found in the repository</h2>
      <p className="mb-3 text-muted text-sm">Nothing has run yet. What is wrong can be changed below.</p>
      <dl className="grid grid-cols-[8rem_minmax(0,1fr)_minmax(0,14rem)] gap-x-4 gap-y-1.5 text-sm">
        {others.map(finding => (
          <Row key={`${finding.name}${finding.value}${finding.source}`} finding={finding} />
        ))}
      </dl>
      {rules.length > 0 ? (
        <details className="mt-2 text-sm">
          <summary className="cursor-pointer text-muted">
            {rules.length === 1 ? 'One rule' : `${rules.length} rules`} of its instructions
          </summary>
          <ul className="mt-1.5 flex flex-col gap-1">
            {rules.map(({ value, source }) => (
              <li key={`${value}${source}`} className="break-words">
                {value} <span className="text-muted text-xs">{source}</span>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      {open.map(({ name, why, candidates }) => (
        <div key={name} role="note" className="mt-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          <p className="break-words">{why}</p>
          {candidates.length > 0 ? (
            <div className="mt-2 flex flex-wrap gap-2">
              {candidates.map(candidate => (
                <Button
                  key={candidate}
                  type="button"
                  size="small"
                  className="max-w-full"
                  onClick={() =>
                    onChange({
                      [FIELDS[name]]: name === 'editable' ? candidate.replaceAll(', ', '\n') : candidate,
                    })
                  }
                >
                  <span className="truncate font-mono">{candidate}</span>
                </Button>
              ))}
            </div>
          ) : null}
        </div>
      ))}
    </section>
  );
}

function Row({ finding }: { readonly finding: Finding }) {
  return (
    <>
      <dt className="text-muted first-letter:uppercase">{FINDING_LABELS[finding.name]}</dt>
      <dd className="min-w-0 break-words font-mono text-xs leading-5">{findingWords(finding)}</dd>
      <dd className="min-w-0 break-words text-muted text-xs leading-5">{finding.source}</dd>
    </>
  );
}
