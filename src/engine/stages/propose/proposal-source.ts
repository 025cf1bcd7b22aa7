import { type Idea, isByHand } from '../../../shared/proposers/ideas.ts';
import type { Study } from '../../../shared/study.ts';
import { readDiff } from '../../git/diff.ts';
import { rebaseFiles } from '../../git/rebase-files.ts';
import { listTree, type Repository, readBlob } from '../../git/repository.ts';
import type { DataPaths } from '../../paths.ts';
import { proposerMarker } from '../../process/markers.ts';
import type { Point, ProposalRequest, Proposer, ProposerAnswer } from '../../proposers/proposer.ts';
import { readMemory } from '../../proposers/study-memory.ts';
import { writeFiles } from '../../proposers/write-files.ts';
import type { Incumbent } from '../../store/experiments.ts';
import { toldIdea } from '../../store/ideas.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Workbench } from '../edit/workbench.ts';
import { trialsOf } from '../judge/trials.ts';
import { LookAhead } from './look-ahead.ts';
import { chooseOtherLine } from './other-lines.ts';

type Ports = {
  readonly ledger: Ledger;
  readonly repository: Repository;
  readonly proposer: Proposer;
  readonly signal: AbortSignal;
  readonly paths: DataPaths;
  readonly now: () => number;
};

/** Where a proposal starts, and which number it has to beat. */
export type Begun = { readonly incumbent: Incumbent; readonly start: Point };

/**
 * The source of a study's proposals: asks the proposer when it is a proposal's turn, or while the previous experiment
 * trains.
 */
export class ProposalSource {
  readonly #study: Study;
  readonly #ports: Ports;
  readonly #ahead: LookAhead;
  /** The last of the requests that have to run one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #instructions: { readonly commit: string; readonly text: string | null } | null = null;

  constructor(study: Study, ports: Ports) {
    this.#study = study;
    this.#ports = ports;
    this.#ahead = new LookAhead(ports.paths.scratch);
  }

  /**
   * Runs `work`, which asks the proposer for experiment `n` and stores the result. If the proposer takes only one
   * request at a time, waits for earlier work first.
   */
  async inTurn<T>(n: number, work: () => Promise<T>): Promise<T> {
    if (this.#ports.proposer.canLookAhead?.(n)) return work();
    const turn = this.#turn.then(() => {
      this.#ports.signal.throwIfAborted();
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Gets an answer for experiment `n`. The worktree must be as the proposer should find it, and contains the
   * proposal's edit afterwards. Rejects with an AbortError when the sitting's signal is aborted.
   */
  async ask(
    n: number,
    { incumbent, start }: Begun,
    repair: ProposalRequest['repair'],
    workbench: Workbench,
    reset: () => Promise<void>,
  ): Promise<ProposerAnswer> {
    const { proposer, signal } = this.#ports;
    const request = await this.#requestFor(n, { incumbent, start }, repair, false);
    // Only one request at a time; prepared proposals stay for their turn.
    if (repair) await this.#ahead.settled();
    else {
      const prepared = await this.#takePrepared(request, workbench, reset);
      if (prepared) return prepared;
    }
    return proposer.propose(request, {
      worktree: workbench.worktree,
      editableFiles: workbench.editableFiles(),
      marker: proposerMarker(this.#study.id, n),
      ...{ signal, reset },
    });
  }

  /** Where the proposal for experiment `n` starts. */
  startOf(n: number, incumbent: Incumbent): Point {
    const { ledger, proposer } = this.#ports;
    const { id, otherLines, contract } = this.#study;
    if (ledger.reviews.latest(id, n)?.outcome === 'sent_back') return this.#startSentBack(n, incumbent);
    if (otherLines === 'off' || !proposer.canStartElsewhere?.(n)) return incumbent;
    // Waiting ideas are meant for the branch, and so are second tries.
    const hasIdea = this.#ideasFor(n).handed !== null || ledger.ideas.ofExperiment(id, n) !== null;
    if (hasIdea || ledger.refusals.list(id).some(refusal => refusal.n === n)) return incumbent;
    const history = ledger.experiments.history(id);
    const trials = trialsOf(history, ledger.runs.repeats(id));
    const line = chooseOtherLine({ history, trials, goal: contract.metric.goal }, n, otherLines);
    const commit = line && ledger.experiments.get(id, line.n)?.attemptCommit;
    return line && commit ? { n: line.n, commit, metric: line.metric } : incumbent;
  }

  /** A proposal that was sent back starts where the user saw it start. */
  #startSentBack(n: number, incumbent: Incumbent): Point {
    const { experiments } = this.#ports.ledger;
    const { otherLine = null } = experiments.get(this.#study.id, n) ?? {};
    const line = otherLine === null ? null : experiments.get(this.#study.id, otherLine);
    return line?.attemptCommit && line.record
      ? { n: line.n, commit: line.attemptCommit, metric: line.record.mean }
      : incumbent;
  }

  /** Prepares the proposal for a future experiment `n` while others train, if the proposer can. */
  async lookAhead(n: number, incumbent: Incumbent, workbench: Workbench): Promise<void> {
    const { proposer, signal } = this.#ports;
    if (this.#ahead.has(n) || !proposer.canLookAhead?.(n)) return;
    const start = this.startOf(n, incumbent);
    const request = await this.#requestFor(n, { incumbent, start }, null, true);
    if (this.#ahead.has(n)) return;
    const marker = proposerMarker(this.#study.id, n);
    const editableFiles = workbench.editableFiles();
    this.#ahead.start(n, start.commit, toldBy(request), (path, stop) =>
      proposer.propose(request, {
        worktree: { ...workbench.worktree, path },
        ...{ editableFiles, marker, signal: AbortSignal.any([signal, stop]) },
        reset: () => Promise.resolve(),
      }),
    );
  }

  /** Resolves once no request is in progress. */
  stop(): Promise<void> {
    return this.#ahead.stop();
  }

  async #requestFor(
    n: number,
    { incumbent, start }: Begun,
    repair: ProposalRequest['repair'],
    isAhead: boolean,
  ): Promise<ProposalRequest> {
    const { ledger, now } = this.#ports;
    const { id, tag, contract } = this.#study;
    return {
      ...{ tag, n, contract, incumbent, start, repair, isAhead },
      running: this.#running(n),
      review: await this.#readSentBack(n, repair !== null),
      instructions: await this.#readInstructions(incumbent.commit),
      memory: readMemory(ledger, this.#study, now()).text || null,
      steering: ledger.marks.ofKind(id, 'steered'),
      ideas: this.#ideasFor(n),
      history: ledger.experiments.history(id),
      refusals: ledger.refusals.list(id),
    };
  }

  /** What is in flight or being prepared besides experiment `n`. */
  #running(n: number): ProposalRequest['running'] {
    const tried = this.#ports.ledger.experiments
      .unfinished(this.#study.id)
      .flatMap(({ n: other, proposal, verdict }) =>
        proposal && !verdict
          ? [{ n: other, hypothesis: proposal.hypothesis, category: proposal.category, memo: proposal.memo }]
          : [],
      );
    const known = new Set([n, ...tried.map(other => other.n)]);
    const prepared = this.#ahead.prepared().filter(other => !known.has(other.n));
    return [...tried.filter(other => other.n !== n), ...prepared];
  }

  #ideasFor(n: number): ProposalRequest['ideas'] {
    const { ideas } = this.#ports.ledger;
    const waiting = ideas.waiting(this.#study.id).filter(({ edit }) => edit === null);
    const own = ideas.ofExperiment(this.#study.id, n);
    // The idea with which this experiment began stays until something was made of it.
    const handed = own?.edit === null ? own : (waiting.find(({ author }) => isByHand(author)) ?? null);
    return {
      handed: handed && toldIdea(handed),
      waiting: waiting.filter(({ author }) => !isByHand(author)).map(toldIdea),
    };
  }

  /** Writes the proposal prepared for this request into the worktree; null if it has to be requested. */
  async #takePrepared(
    request: ProposalRequest,
    workbench: Workbench,
    reset: () => Promise<void>,
  ): Promise<Extract<ProposerAnswer, { kind: 'proposed' }> | null> {
    const { repository, ledger, signal, paths } = this.#ports;
    const { start } = request;
    const prepared = await this.#ahead.take(request.n, toldBy(request));
    signal.throwIfAborted();
    if (!prepared) return null;
    const isNew = prepared.base !== start.commit;
    // A keep of the same category may have had the same reason, so a new proposal is requested.
    const last = ledger.experiments.get(this.#study.id, start.n);
    const { category } = prepared.proposal;
    if (isNew && category !== null && last?.proposal?.category === category) return null;
    // If this fails, the proposal is requested again.
    const files = await rebaseFiles(prepared, start.commit, repository, paths.scratch).catch(() => null);
    if (!files) return null;
    const tracked = (await listTree(repository, start.commit)).map(({ path }) => path);
    if ((await writeFiles(workbench.path, files, tracked)) !== null) {
      await reset();
      return null;
    }
    return { kind: 'proposed', proposal: prepared.proposal };
  }

  /** The experiment's last proposal, if the user wants it redone. */
  async #readSentBack(n: number, isRepair: boolean): Promise<ProposalRequest['review']> {
    const review = this.#ports.ledger.reviews.latest(this.#study.id, n);
    if (review?.outcome !== 'sent_back' || review.isRepair !== isRepair) return null;
    return {
      hypothesis: review.proposal.hypothesis,
      diff: await readDiff(this.#ports.repository, review.start, review.commit),
      remarks: review.message ?? '',
    };
  }

  /** The user's latest version; if there is none, the incumbent's file. */
  async #readInstructions(commit: string): Promise<string | null> {
    const path = this.#study.contract.instructions;
    if (path === null) return null;
    const saved = this.#ports.ledger.instructions.latest(this.#study.id);
    if (saved) return saved.text;
    if (this.#instructions?.commit !== commit) {
      const content = await readBlob(this.#ports.repository, commit, path);
      this.#instructions = { commit, text: content ? content.toString('utf8') : null };
    }
    return this.#instructions.text;
  }
}

/** Everything the user has told the proposer so far. */
function toldBy({ instructions, memory, steering, ideas }: ProposalRequest): string {
  return JSON.stringify([instructions, memory, steering, handedByUser(ideas.handed)]);
}

/** An idea that a proposer chose itself tells it nothing new. */
function handedByUser(idea: Idea | null): number | null {
  return idea && isByHand(idea.author) ? idea.id : null;
}
