import type { Cell, Mark, NotebookEvent, RefusedProposal, StudyCard } from '../../shared/notebook.ts';
import type { Live, Notebook, State } from './store.ts';

/** Five minutes of samples at one a second. */
const TELEMETRY_SAMPLES = 300;
/** If there are more live points than this, the older half is dropped; the chart reads those from the ledger again. */
export const LIVE_POINTS = 4_000;

/** The changes that an event makes to the state. Pure. */
export function applyEvent(state: State, event: NotebookEvent): Partial<State> {
  switch (event.type) {
    case 'study':
      return { studies: withCard(state.studies, event.card), live: keepLive(state.live, event.card) };
    case 'study_removed': {
      const studies = state.studies.filter(({ id }) => id !== event.study);
      if (state.study !== event.study) return { studies };
      // Its screen is gone too.
      const screen = state.screen.name === 'study' ? ({ name: 'welcome' } as const) : state.screen;
      return { studies, study: null, notebook: null, overlay: null, screen };
    }
    case 'cell':
      return inNotebook(state, event.study, notebook => ({
        ...notebook,
        cells: withCell(notebook.cells, event.cell),
      }));
    case 'cell_removed':
      return inNotebook(state, event.study, notebook => {
        if (!notebook.cells[event.n]) return notebook;
        const cells = [...notebook.cells];
        cells[event.n] = undefined;
        return { ...notebook, cells };
      });
    case 'mark':
      return inNotebook(state, event.study, notebook => ({
        ...notebook,
        marks: withMark(notebook.marks, event.mark),
      }));
    case 'refused':
      return inNotebook(state, event.study, notebook => ({
        ...notebook,
        refusals: withRefusal(notebook.refusals, event.refusal),
      }));
    case 'live':
      return { live: withPoints(state.live, event) };
    case 'thought':
      return { thought: { study: event.study, n: event.n, text: event.text } };
    case 'telemetry':
      return {
        telemetry: [...state.telemetry, event.sample].slice(-TELEMETRY_SAMPLES),
        gpuState: event.gpuState,
      };
    case 'settings':
      return { settings: event.settings };
    case 'projects':
      return { projects: event.projects };
    case 'notice':
      return {};
    default:
      return event satisfies never;
  }
}

function inNotebook(state: State, study: string, change: (notebook: Notebook) => Notebook): Partial<State> {
  return state.notebook?.study === study ? { notebook: change(state.notebook) } : {};
}

/** Keeps the newest first; a new study goes to the front. */
function withCard(studies: readonly StudyCard[], card: StudyCard): readonly StudyCard[] {
  return studies.some(known => known.id === card.id)
    ? studies.map(known => (known.id === card.id ? card : known))
    : [card, ...studies];
}

export function withCell(cells: readonly (Cell | undefined)[], cell: Cell): readonly (Cell | undefined)[] {
  const next = [...cells];
  while (next.length < cell.n) next.push(undefined);
  next[cell.n] = cell;
  return next;
}

export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  return marks.some(known => known.id === mark.id) ? marks : [...marks, mark];
}

export function withRefusal(
  refusals: readonly RefusedProposal[],
  refusal: RefusedProposal,
): readonly RefusedProposal[] {
  const isKnown = refusals.some(known => known.at === refusal.at && known.n === refusal.n);
  return isKnown ? refusals : [...refusals, refusal];
}

/** Points of a finished run are no longer live. */
function keepLive(live: readonly Live[], card: StudyCard): readonly Live[] {
  const isOver = ({ study, n }: Live) => study === card.id && card.inFlight.every(other => other.n !== n);
  return live.some(isOver) ? live.filter(run => !isOver(run)) : live;
}

function withPoints(all: readonly Live[], event: Extract<NotebookEvent, { type: 'live' }>): readonly Live[] {
  const { study, n, k } = event;
  const known = all.find(run => run.study === study && run.n === n);
  const isSame = known?.k === k;
  const points = isSame ? [...known.points, ...event.points] : event.points;
  const folds = isSame ? known.folds : 0;
  const live: Live =
    points.length <= LIVE_POINTS
      ? { study, n, k, points, folds }
      : { study, n, k, points: points.slice(-LIVE_POINTS / 2), folds: folds + 1 };
  return [...all.filter(run => run !== known && run.study === study), live];
}
