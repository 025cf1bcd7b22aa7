import { type FormEvent, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { armsOf, modelArms, proposerLabel } from '../../../shared/proposers/proposers.ts';
import { shareOf } from '../../../shared/proposers/spend-plan.ts';
import { countTried } from '../../../shared/tried.ts';
import { codeOf, explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { describeStop } from '../../format/stop-reasons.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Problem } from '../../ui/problem.tsx';
import { GpuField } from '../set-up/gpu-field.tsx';
import { laneProblemOf, laneWordsOf } from '../set-up/lane-words.ts';
import { LanesField } from '../set-up/lanes-field.tsx';
import { OtherLinesField } from '../set-up/other-lines-field.tsx';
import { PlannedSpend } from '../set-up/planned-spend.tsx';
import {
  type ProposerForm,
  proposerFormOf,
  proposerOf,
  readProposer,
  type SpendBasisForm,
} from '../set-up/set-up-form.ts';
import { ProposerChoice, ProposerDetails } from '../set-up/set-up-proposer.tsx';
import { UncontainedConsent } from '../set-up/uncontained-consent.tsx';

/** How many more experiments to suggest if a study has used all of its own. */
const MORE = 100;

/** Starts another sitting, after a look at its stop rules, which count over the whole study. */
export function ResumeDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const done = countTried(card.tally).tried;
  const wanted = card.stop.experiments;
  const offered = wanted === undefined ? '' : String(wanted > done ? wanted : done + MORE);
  const [experiments, setExperiments] = useState(offered);
  const [hours, setHours] = useState(card.stop.hours === undefined ? '' : String(card.stop.hours));
  const [patience, setPatience] = useState(
    card.stop.patience === undefined ? '' : String(card.stop.patience),
  );
  const [repository, setRepository] = useState(card.repositoryPath);
  const [gpu, setGpu] = useState(card.gpu ?? '');
  const [lanes, setLanes] = useState(card.lanes.join(', '));
  const [otherLines, setOtherLines] = useState(card.otherLines);
  const [cap, setCap] = useState(card.capUsd === null ? '' : String(card.capUsd));
  /** Null while the study keeps its proposer. */
  const [proposer, setProposer] = useState<ProposerForm | null>(null);
  const [tries, setTries] = useState(0);
  const left = experiments.trim() === '' ? null : Number(experiments) - done;
  const [problem, setProblem] = useState<string | null>(null);
  /** Null until the host requires it. */
  const [consent, setConsent] = useState<boolean | null>(null);
  const resume = async (event: FormEvent) => {
    event.preventDefault();
    setTries(before => before + 1);
    if ((proposer && readProposer(proposer)) || laneProblemOf(lanes)) return;
    const stop = {
      ...(experiments.trim() === '' ? {} : { experiments: Number(experiments) }),
      ...(hours.trim() === '' ? {} : { hours: Number(hours) }),
      ...(patience.trim() === '' ? {} : { patience: Number(patience) }),
    };
    try {
      await getClient().studies.resume({
        study: card.id,
        stop,
        ...(repository.trim() === '' ? {} : { repository: repository.trim() }),
        gpu: gpu === '' ? null : gpu,
        lanes: laneWordsOf(lanes),
        otherLines,
        ...(cap.trim() === '' ? {} : { capUsd: Number(cap) }),
        ...(proposer ? { proposer: proposerOf(proposer) } : {}),
        ...(consent ? { agreesUncontained: true } : {}),
      });
      onClose();
    } catch (error) {
      setProblem(explain(error));
      if (codeOf(error) === 'uncontained') setConsent(false);
    }
  };
  return (
    <Dialog
      title={`Resume ${card.tag}`}
      description={describeStop(card)}
      onClose={onClose}
      isWide={proposer !== null}
    >
      <form onSubmit={event => void resume(event)} className="flex flex-col gap-3">
        <div className="grid grid-cols-3 gap-4">
          <TextField
            label="Experiments"
            hint={done === 1 ? 'One is done.' : `${done} are done.`}
            inputMode="numeric"
            value={experiments}
            onChange={setExperiments}
          />
          <TextField
            label="Hours"
            hint="From now on."
            inputMode="decimal"
            value={hours}
            onChange={setHours}
          />
          <TextField
            label="Patience"
            hint="Experiments in a row without a keep."
            inputMode="numeric"
            value={patience}
            onChange={setPatience}
          />
        </div>
        {proposer ? (
          <Proposer
            form={proposer}
            onChange={patch => setProposer({ ...proposer, ...patch })}
            spend={spendBasisOf(card, left, proposer.arms.length, proposer.routing === 'alternate')}
            tries={tries}
          />
        ) : (
          <div className="flex items-center justify-between gap-4 text-sm">
            <p className="min-w-0">
              <span className="font-medium">Proposer</span>{' '}
              <span className="break-words text-muted">{proposerLabel(card.proposer)}</span>
            </p>
            <Button size="small" onClick={() => setProposer(proposerFormOf(card.proposer))}>
              Change the proposer …
            </Button>
          </div>
        )}
        <TextField
          label="Repository"
          hint="Where it is now, if it was moved."
          value={repository}
          onChange={setRepository}
        />
        <GpuField value={gpu} onChange={setGpu} />
        <LanesField value={lanes} problem={tries > 0 ? laneProblemOf(lanes) : null} onChange={setLanes} />
        <OtherLinesField value={otherLines} onChange={setOtherLines} />
        {card.contract.model === null ? null : (
          <TextField
            label={`Cap for asking ${card.contract.model.name} (US$)`}
            hint="For the whole study. Leave empty to keep it unchanged."
            inputMode="decimal"
            value={cap}
            onChange={setCap}
          />
        )}
        {proposer ? null : <PlannedSpends card={card} left={left} />}
        <Problem>{problem}</Problem>
        {consent === null ? null : <UncontainedConsent isAgreed={consent} onChange={setConsent} />}
        <div className="-mx-5 -mb-5 -bottom-5 sticky flex justify-end gap-2 border-line border-t bg-surface px-5 py-3">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            Resume
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The proposer from now on, chosen as in the set-up. */
function Proposer({
  tries,
  ...rest
}: {
  readonly form: ProposerForm;
  readonly onChange: (patch: Partial<ProposerForm>) => void;
  readonly spend: SpendBasisForm;
  readonly tries: number;
}) {
  const arms = readProposer(rest.form);
  const part = { ...rest, problems: arms ? { arms } : {} };
  return (
    <fieldset>
      <legend className="sr-only">Who proposes from now on</legend>
      <div className="mb-3 grid grid-cols-2 gap-x-5 gap-y-3">
        <ProposerChoice {...part} />
      </div>
      <ProposerDetails {...part} approval={null} otherLines={null} tries={tries} />
    </fieldset>
  );
}

function spendBasisOf(
  { repositoryPath: path, contract: { editable, instructions, budget } }: StudyCard,
  left: number | null,
  arms: number,
  isInTurns: boolean,
): SpendBasisForm {
  const count = left === null || Number.isInteger(left) ? left : null;
  return {
    ...{ path, editable, instructions, budgetSeconds: budget.seconds },
    experiments: shareOf(count === null ? null : Math.max(0, count), arms, isInTurns),
  };
}

/** What the rest of the study will probably cost, for each model that proposes. */
function PlannedSpends({ card, left }: { readonly card: StudyCard; readonly left: number | null }) {
  const { proposer } = card;
  const isInTurns = proposer.kind === 'route' && proposer.mode === 'alternate';
  const basis = spendBasisOf(card, left, armsOf(proposer).length, isInTurns);
  return modelArms(proposer).map(({ model }) => <PlannedSpend key={model} model={model} basis={basis} />);
}
