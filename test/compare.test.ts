import { expect, test } from 'vitest';
import {
  decidingRun,
  differingCosts,
  differingSummary,
} from '../src/renderer/features/compare/differing-values.ts';
import type { ExperimentDetail, RunView, StudyCard } from '../src/shared/notebook.ts';
import { contractFile, createRepository } from './support/scaffold.ts';
import { openDesk, refusalOf, untilStopped } from './support/service.ts';

const CARD = { contract: { metric: { name: 'val_bpb', memory: 'peak_vram_mb' } } } as unknown as StudyCard;

type Told = {
  readonly summary?: Readonly<Record<string, number | string>>;
  readonly memory?: number;
  readonly trained?: number;
  readonly energy?: number;
};

function experiment({ summary = {}, memory, trained, energy }: Told): ExperimentDetail {
  const run = {
    ...{ k: 0, gpuEnergyWh: energy ?? null, peakRssBytes: null },
    summary: Object.entries(summary).map(([name, value]) => ({ name, value })),
  } as unknown as RunView;
  return {
    cell: { memory: memory ?? null, trainedSeconds: trained ?? null },
    ...{ evidence: { run: 0 }, runs: [run] },
  } as unknown as ExperimentDetail;
}

test('of what was printed only what differs is told, and the better value where the name says which that is', () => {
  const rows = differingSummary(CARD, [
    experiment({
      summary: { val_bpb: 1, peak_vram_mb: 7, depth: 8, mfu_percent: 39, val_loss: 2, num_steps: 90 },
    }),
    experiment({
      summary: { val_bpb: 2, peak_vram_mb: 8, depth: 8, mfu_percent: 41, val_loss: 2.5, num_steps: 80 },
    }),
  ]);
  expect(rows).toEqual([
    { name: 'mfu_percent', values: ['39', '41'], best: [1] },
    { name: 'val_loss', values: ['2', '2.5'], best: [0] },
    // How much was done is neither better nor worse.
    { name: 'num_steps', values: ['90', '80'], best: [] },
  ]);
});

test('what one of them did not print is missing there, and its value is not the best of nothing', () => {
  const rows = differingSummary(CARD, [
    experiment({ summary: { accuracy: 0.5, note: 'warm' } }),
    experiment({}),
    experiment({ summary: { note: 'cold' } }),
  ]);
  expect(rows).toEqual([
    { name: 'accuracy', values: ['0.5', null, null], best: [] },
    { name: 'note', values: ['warm', null, 'cold'], best: [] },
  ]);
  expect(differingSummary(CARD, [experiment({}), experiment({})])).toEqual([]);
});

test('of equal best values each is marked, and a number that is none is the best of nothing', () => {
  const [row] = differingSummary(CARD, [
    experiment({ summary: { error: 0.1 } }),
    experiment({ summary: { error: 'NaN' } }),
    experiment({ summary: { error: 0.1 } }),
    experiment({ summary: { error: 0.2 } }),
  ]);
  expect(row).toEqual({ name: 'error', values: ['0.1', 'NaN', '0.1', '0.2'], best: [0, 2] });
});

test('less memory and energy is better; a shorter training is not', () => {
  const rows = differingCosts(CARD, [
    experiment({ memory: 45_060, trained: 300, energy: 8 }),
    experiment({ memory: 44_000, trained: 250, energy: 9.5 }),
  ]);
  expect(rows.map(({ name, best }) => [name, best])).toEqual([
    ['trained', []],
    ['peak_vram_mb', [1]],
    ['GPU energy', [0]],
  ]);
  expect(differingCosts(CARD, [experiment({ memory: 1 }), experiment({ memory: 1 })])).toEqual([]);
});

test('the run that decided speaks for an experiment, else its last one', () => {
  const runs = [{ k: 0 }, { k: 1 }, { k: 2 }] as RunView[];
  expect(decidingRun({ runs, evidence: { run: 1 } } as unknown as ExperimentDetail)?.k).toBe(1);
  expect(decidingRun({ runs, evidence: null } as unknown as ExperimentDetail)?.k).toBe(2);
  expect(decidingRun({ runs: [], evidence: null } as unknown as ExperimentDetail)).toBeNull();
});

const TRAINER = `LR=0
WIDTH=64
DEPTH=8
echo "val_bpb: 1.$LR"
`;
/** Experiment n sets LR to n; from the second on WIDTH, too. */
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
sed -i "s/^LR=.*/LR=$n/" train.sh
[ "$n" = 2 ] && sed -i "s/^WIDTH=.*/WIDTH=128/" train.sh
echo "{\\"hypothesis\\":\\"Set LR to $n\\"}"`;

test('the constants that differ between experiments are read from their attempts', async () => {
  const desk = await openDesk();
  const path = await createRepository({
    'train.sh': TRAINER,
    'pawl.toml': contractFile({ train: 'sh train.sh' }),
  });
  const { id: study } = await desk.calls.studies.start({
    ...{ path, stop: { experiments: 2 } },
    proposer: { kind: 'command', command: PROPOSER, timeoutSeconds: 20 },
    agreesUncontained: true,
  });
  await untilStopped(desk, study);
  const read = (...ns: number[]) => desk.calls.experiments.constants({ study, ns });
  expect(await read(0, 1, 2)).toEqual([
    { file: 'train.sh', name: 'LR', values: ['0', '1', '2'] },
    { file: 'train.sh', name: 'WIDTH', values: ['64', '64', '128'] },
  ]);
  expect(await read(1, 0)).toEqual([{ file: 'train.sh', name: 'LR', values: ['1', '0'] }]);
  expect(await read(1, 1)).toEqual([]);
  expect(await refusalOf(read(0, 7))).toMatchObject({ code: 'experiment_not_found' });
  await expect(read(1)).rejects.toThrow();
});
