import { CircleAlert, FileDown, Play } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { Inspection } from '../../../shared/contract/set-up.ts';
import { attempt, startStudy } from '../../app/actions.ts';
import { codeOf, explain } from '../../app/explain.ts';
import { useRunning, useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PathLine } from '../../ui/path-line.tsx';
import { Problem } from '../../ui/problem.tsx';
import { useFirstFocus } from '../../ui/return-focus.ts';
import { useSettled } from '../../ui/use-settled.ts';
import { MeasureFields, MoreMeasureFields } from './measure-fields.tsx';
import { MetricCheck } from './metric-check.tsx';
import { SetUpAgreement } from './set-up-agreement.tsx';
import { Checks } from './set-up-checks.tsx';
import { ContractFields, LengthFields, NameField, SandboxFields, StopFields } from './set-up-fields.tsx';
import {
  contractOf,
  type FormProblems,
  formOf,
  isContractWhole,
  readForm,
  type SetUpForm,
  spendBasisOf,
} from './set-up-form.ts';
import { Found, unclearFields } from './set-up-found.tsx';
import { Part } from './set-up-part.tsx';
import { ProposerChoice, ProposerDetails } from './set-up-proposer.tsx';
import { UncontainedConsent } from './uncontained-consent.tsx';

/** What will be tried, how, and whether everything needed is there. */
export function SetUpScreen({ path }: { readonly path: string }) {
  const { value, problem, again } = useCall(`inspect ${path}`, () => getClient().projects.inspect({ path }));
  if (problem) {
    return (
      <EmptyState icon={<CircleAlert size={28} />} title="This project cannot be opened">
        <p className="mb-3">{problem}</p>
        <Button onClick={again}>Look again</Button>
      </EmptyState>
    );
  }
  if (!value) {
    return (
      <p className="p-8 text-muted" role="status">
        Looking at {path} …
      </p>
    );
  }
  return <SetUp key={value.head ?? ''} inspection={value} onLookAgain={again} />;
}

function SetUp({
  inspection,
  onLookAgain,
}: {
  readonly inspection: Inspection;
  readonly onLookAgain: () => void;
}) {
  const [form, setForm] = useState<SetUpForm>(() => formOf(inspection.draft, inspection.tag));
  /** How many times a start was tried. */
  const [tries, setTries] = useState(0);
  const isTried = tries > 0;
  const [isStarting, setIsStarting] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  /** Null until the host requires it. */
  const [consent, setConsent] = useState<boolean | null>(null);
  /** The digest of the set-up command that the user agreed to. */
  const [agreed, setAgreed] = useState<string | null>(null);
  const running = useRunning();
  const formId = useId();
  const fields = useRef<HTMLFormElement>(null);
  useFirstFocus(fields);
  const { study, problems } = readForm(inspection.path, form);
  const checks = useChecks(inspection.path, form);
  const setUp = useSetUp(inspection.path, form.setup)?.value ?? null;
  const failed = checks?.value?.filter(check => check.outcome === 'failed') ?? [];
  const hasProblems = Object.keys(problems).length > 0;
  // In a project where nothing was found, an empty field is not an error before the first try.
  const shown: FormProblems =
    isTried || inspection.contract ? problems : unclearFields(inspection.unclear, form);
  const set = (patch: Partial<SetUpForm>) => {
    setForm(before => ({ ...before, ...patch }));
    setRefusal(null);
  };
  const start = async () => {
    setTries(before => before + 1);
    if (hasProblems) return;
    setIsStarting(true);
    try {
      await startStudy({
        ...study,
        ...(consent ? { agreesUncontained: true } : {}),
        ...(agreed === null ? {} : { agreesSetUp: agreed }),
      });
    } catch (error) {
      setRefusal(explain(error));
      if (codeOf(error) === 'uncontained') setConsent(false);
    }
    setIsStarting(false);
  };

  const toAgree = setUp && !setUp.isAgreed ? setUp : null;
  const asks = refusal !== null || consent !== null || toAgree !== null;
  const canStart = !isStarting && running === null && failed.length === 0;
  useStartKey(() => canStart && fields.current?.requestSubmit());
  useEffect(() => {
    if (tries > 0) fields.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [tries]);
  const part = { form, problems: shown, onChange: set };
  const spend = spendBasisOf(inspection.path, form);

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <header className="flex items-end justify-between gap-4 border-line border-b px-6 py-4">
        <div className="min-w-0">
          <h1 className="truncate font-semibold text-xl tracking-tight">New study in {inspection.name}</h1>
          <p className="flex text-muted text-sm" title={inspection.path}>
            <PathLine path={inspection.path} />
            {inspection.head ? (
              <span className="min-w-0 cut-off whitespace-pre">
                {` · ${inspection.branch ?? 'detached'} at ${inspection.head.slice(0, 7)}`}
              </span>
            ) : null}
          </p>
        </div>
        <Source inspection={inspection} />
      </header>
      <div
        className={classNames(
          'grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_22rem] max-lg:grid-cols-1',
          // What has to be read before the start takes more of a narrow window.
          asks
            ? 'max-lg:grid-rows-[minmax(0,1fr)_fit-content(60%)]'
            : 'max-lg:grid-rows-[minmax(0,1fr)_fit-content(40%)]',
        )}
      >
        <form
          id={formId}
          ref={fields}
          className="min-h-0 overflow-y-auto px-6 py-5 *:max-w-4xl"
          onSubmit={event => {
            event.preventDefault();
            void start();
          }}
        >
          {inspection.problem && inspection.draft === null ? (
            <p role="note" className="mb-5 rounded-lg bg-warn-soft px-4 py-3 text-sm text-warn">
              {inspection.problem.replace(/\.?$/, '.')} You can also fill in the form: a study does not need
              the file.
            </p>
          ) : null}
          <Part
            title="The study"
            hint="Most need no more than this: the rest comes from the repository, and can be looked at below."
          >
            <NameField {...part} />
            <ProposerChoice {...part} spend={spend} />
            <LengthFields {...part} />
          </Part>
          {inspection.findings.length > 0 && inspection.draft?.source !== 'pawl.toml' ? (
            <Found findings={inspection.findings} unclear={inspection.unclear} form={form} onChange={set} />
          ) : null}
          <div className="mb-7">
            <ProposerDetails
              {...part}
              spend={spend}
              approval={{ asks: form.asksApproval, onChange: asksApproval => set({ asksApproval }) }}
              otherLines={{ value: form.otherLines, onChange: otherLines => set({ otherLines }) }}
              tries={tries}
            />
            <StopFields {...part} tries={tries} />
            <ContractFields {...part} tries={tries} />
            <MeasureFields {...part} tries={tries} />
            <MoreMeasureFields {...part} tries={tries} />
            <SandboxFields {...part} tries={tries} />
          </div>
          <MetricCheck
            path={inspection.path}
            form={form}
            isReady={checks?.value != null && failed.length === 0}
            agreed={agreed}
            onMeasured={() => checks?.again()}
          />
          <SaveContract inspection={inspection} form={form} isWhole={isContractWhole(form)} />
        </form>
        <aside
          className="flex min-h-0 flex-col border-line border-l bg-surface max-lg:border-t max-lg:border-l-0"
          aria-label="Preflight"
        >
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-5">
            <div className="mb-3 flex items-center justify-between">
              <h2 className="font-medium">Preflight</h2>
              <Button
                size="small"
                kind="quiet"
                onClick={() => {
                  onLookAgain();
                  checks?.again();
                }}
              >
                Check again
              </Button>
            </div>
            {checks ? (
              <Checks checks={checks.value} isLoading={checks.isLoading} problem={checks.problem} />
            ) : (
              <p className="text-muted text-sm">
                The checks start once the fields say what may change, how to train and which number counts.
              </p>
            )}
          </div>
          {/* What stands above the button scrolls, and leaves some of the checks in sight. */}
          <div className="screen-foot flex max-h-[calc(100%-5rem)] shrink-0 flex-col border-line border-t py-4 max-lg:py-3">
            <div className="min-h-0 overflow-y-auto px-5">
              <Problem className="mb-3">{refusal}</Problem>
              {consent === null ? null : (
                <div className="mb-3">
                  <UncontainedConsent isAgreed={consent} onChange={setConsent} />
                </div>
              )}
              {toAgree ? (
                <SetUpAgreement
                  setUp={toAgree}
                  isAgreed={agreed === toAgree.digest}
                  onChange={isAgreed => setAgreed(isAgreed ? toAgree.digest : null)}
                />
              ) : null}
              {running ? (
                <p className="mb-3 text-sm text-warn">
                  {running.tag} is {running.isStarting ? 'starting' : running.state}: one study runs at a
                  time, so stop it first.
                </p>
              ) : null}
              {isTried && hasProblems ? (
                <p className="mb-3 text-crash text-sm">Correct the marked fields first.</p>
              ) : failed.length > 0 ? (
                <p className="mb-3 text-crash text-sm">
                  {failed.length === 1 ? 'One check fails' : `${failed.length} checks fail`}: fix that first.
                </p>
              ) : null}
            </div>
            <div className="flex shrink-0 items-center gap-x-4 gap-y-2 px-5 lg:flex-col lg:items-stretch">
              <Button
                kind="primary"
                size="large"
                className="w-full max-lg:w-auto max-lg:shrink-0"
                // A submit button, because without one Enter in a field would do nothing.
                type="submit"
                form={formId}
                disabled={!canStart}
                aria-keyshortcuts="Control+Enter"
                title="Ctrl+Enter"
              >
                <Play size={16} aria-hidden /> {isStarting ? 'Starting …' : 'Start the study'}
              </Button>
              <p className="text-muted text-xs">
                Branch autoresearch/{form.tag || '…'}. Your checkout is not touched.
              </p>
            </div>
          </div>
        </aside>
      </div>
    </div>
  );
}

/** Ctrl+Enter anywhere in the window, except over a dialog. */
function useStartKey(start: () => void): void {
  const latest = useRef(start);
  latest.current = start;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      if (useStore.getState().overlay !== null) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

const SOURCES: Readonly<Record<Contract['source'], string>> = {
  'pawl.toml': 'From pawl.toml',
  autoresearch: 'Shaped like autoresearch',
  'pi-autoresearch': 'Shaped like pi-autoresearch',
  form: 'As filled in',
};

function Source({ inspection }: { readonly inspection: Inspection }) {
  const text = inspection.draft === null ? 'Nothing recognised' : SOURCES[inspection.draft.source];
  return <span className="rounded-full bg-accent-soft px-2.5 py-1 text-accent text-xs">{text}</span>;
}

/** The host's checks of the form, once the user stops typing; null while it describes no contract. */
function useChecks(path: string, form: SetUpForm) {
  const settled = useSettled(form);
  const contract = isContractWhole(settled) ? contractOf(settled) : null;
  const tag = settled.tag.trim();
  const checks = useCall(
    contract && JSON.stringify(['check', path, contract, tag]),
    () => getClient().projects.check({ path, ...(tag ? { tag } : {}), ...(contract ? { contract } : {}) }),
    path,
  );
  return contract && checks;
}

/** The form's set-up command as the host shows it, once the user stops typing; null if there is none. */
function useSetUp(path: string, command: string) {
  const wanted = useSettled(command).trim();
  return useCall(wanted === '' ? null : JSON.stringify(['set-up', path, wanted]), () =>
    getClient().projects.setUp({ path, command: wanted }),
  );
}

function SaveContract({
  inspection,
  form,
  isWhole,
}: {
  readonly inspection: Inspection;
  readonly form: SetUpForm;
  readonly isWhole: boolean;
}) {
  const isOnline = useStore(state => state.connection.kind === 'online');
  if (inspection.draft?.source === 'pawl.toml') return null;
  const save = () =>
    attempt(async () => {
      const { file } = await getClient().projects.saveContract({
        path: inspection.path,
        contract: contractOf(form),
      });
      toast.success(`${file} was written. Commit it, and the next study will use it.`);
    });
  return (
    <div className="flex items-center justify-between gap-4 rounded-lg border border-line px-4 py-3">
      <p className="text-muted text-sm">
        This form is kept with the study. To keep it with the repository too, write it to a file in your
        checkout.
      </p>
      <Button disabled={!isWhole || !isOnline} onClick={() => void save()}>
        <FileDown size={15} aria-hidden /> Save as pawl.toml
      </Button>
    </div>
  );
}
