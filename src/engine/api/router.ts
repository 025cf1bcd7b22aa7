import { setImmediate as nextTurn } from 'node:timers/promises';
import { implement, ORPCError } from '@orpc/server';
import { calls } from '../../shared/calls/calls.ts';
import { contractFromFile } from '../../shared/contract/contract-file.ts';
import { PawlError } from '../../shared/errors.ts';
import { ConstantsReader } from '../constants/constants-reader.ts';
import { weighStudy } from '../constants/weigh-study.ts';
import { armsOfStudies } from '../debrief/arms-of-studies.ts';
import { readDebrief } from '../debrief/read-debrief.ts';
import { exportCsv, exportJson, exportTsv } from '../export/export-study.ts';
import { openRepository } from '../git/repository.ts';
import { saveChannel, viewChannel, withToken } from '../notify/channel.ts';
import { postTest, previewMessages } from '../notify/preview.ts';
import { runLog } from '../paths.ts';
import { runDoctor } from '../preflight/doctor.ts';
import { detectAgents } from '../proposers/agent/detect.ts';
import { programsOf } from '../proposers/agent/programs.ts';
import { tryAgent } from '../proposers/agent/try-agent.ts';
import { listModels } from '../proposers/create-proposer.ts';
import { readSpendPlan } from '../proposers/model/read-spend-plan.ts';
import { writeReport } from '../report/write-report.ts';
import { enterNumber } from '../stages/measure/await-number.ts';
import { writeSummary } from '../summary/write-summary.ts';
import { readUserSettings } from '../user-settings.ts';
import { briefingHandlers } from './briefing-calls.ts';
import { readConstantDifferences } from './constant-differences.ts';
import {
  readExperiment,
  readExperimentDiff,
  requireExperiment,
  requireOwnStudy,
  requireStudy,
} from './experiment-view.ts';
import { GpuUses } from './gpu-use.ts';
import { handyHandlers } from './handy-calls.ts';
import { ideaHandlers } from './idea-calls.ts';
import { jobHandlers } from './job-calls.ts';
import { followOutput, readLogPiece, searchLog } from './log-view.ts';
import { followMetricCheck } from './metric-check-steps.ts';
import { readDiskUse, readLoss, readOutlines } from './overview.ts';
import { browseFolder, cleanPath, inspectProject, openSample, saveContract, viewSetUp } from './projects.ts';
import { readProposerRecords } from './proposer-records.ts';
import { readReview } from './review-view.ts';
import { readSeries, Sparklines } from './series-view.ts';
import type { Service } from './service.ts';
import { saveSettings } from './settings.ts';
import { stackHandlers } from './stack-calls.ts';
import { steeringEffect } from './steering-effect.ts';

/** A list shows the numbers of the experiments found; nobody reads further. */
const SEARCH_HITS = 1_000;
/** Slow programs take up to this long to print their version. */
const VERSION_PATIENCE_MS = 90_000;
/** Pieces of an export are joined until they are large enough for a message. */
const EXPORT_CHARACTERS = 256 * 1024;

/** Errors with a name become refusals that a window can show; any other is a bug, logged and reported as one. */
function toRefusal(error: unknown, onError: (error: unknown) => void): unknown {
  if (error instanceof ORPCError || (error as Error).name === 'AbortError') return error;
  if (error instanceof PawlError && error.code !== 'internal') {
    return new ORPCError('BAD_REQUEST', { message: error.message, data: { code: error.code } });
  }
  onError(error);
  return new ORPCError('INTERNAL_SERVER_ERROR', {
    message: `Something unexpected went wrong: ${(error as Error).message}`,
    data: { code: 'internal' },
  });
}

/** Answers every call of `calls`, over any carrier that the host uses. */
export function createRouter(service: Service) {
  const { ledger, announcer, hub, now } = service;
  const { paths, environment, host, onError } = service.options;
  const sparklines = new Sparklines(ledger);
  const messagePorts = { ledger, paths, environment, now };
  const gpuUses = new GpuUses(ledger);
  const constants = new ConstantsReader(ledger);
  const os = implement(calls).use(async ({ next }) => {
    try {
      return await next();
    } catch (error) {
      throw toRefusal(error, onError);
    }
  });

  async function* refusing<T>(pieces: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* pieces;
    } catch (error) {
      if ((error as Error).name === 'AbortError') return;
      throw toRefusal(error, onError);
    }
  }

  const isLive = (study: string, n: number, k: number) =>
    ledger.runs.open().some(run => run.studyId === study && run.n === n && run.k === k);
  const isRunSettled = (study: string, n: number, k: number) =>
    !isLive(study, n, k) || service.running()?.id !== study;

  const requireOf = ({ study, n }: { readonly study: string; readonly n: number }) =>
    requireExperiment(ledger, requireStudy(ledger, study), n);

  const requireKeys = () => {
    if (host.keys) return host.keys;
    throw new PawlError('usage', 'This host does not store keys.');
  };

  return {
    app: {
      info: os.app.info.handler(() => ({ ...host.info, home: paths.home })),
      snapshot: os.app.snapshot.handler(({ input }) => service.snapshot(input?.study)),
      events: os.app.events.handler(({ input, signal }) =>
        refusing(hub.follow(input.epoch, input.after, signal)),
      ),
      saveSettings: os.app.saveSettings.handler(({ input }) => {
        const settings = saveSettings(ledger, input);
        hub.publish({ type: 'settings', settings });
        return settings;
      }),
      ping: os.app.ping.handler(() => 'pong' as const),
    },
    projects: {
      inspect: os.projects.inspect.handler(async ({ input }) => {
        const found = await inspectProject(ledger, input.path, now());
        await service.announceProjects();
        return found;
      }),
      setUp: os.projects.setUp.handler(({ input }) => viewSetUp(ledger, input.path, input.command)),
      check: os.projects.check.handler(({ input }) =>
        runDoctor({
          path: cleanPath(input.path),
          tag: input.tag || null,
          ...{ paths, ledger },
          ...service.engine.surroundings,
          contract: input.contract && contractFromFile(input.contract, 'form'),
        }),
      ),
      checkMetric: os.projects.checkMetric.handler(({ input, signal }) => {
        const { path, contract, ...rest } = input;
        const check = {
          ...{ ...rest, repositoryPath: cleanPath(path) },
          contract: contract && contractFromFile(contract, 'form'),
        };
        return refusing(followMetricCheck(service, check, signal));
      }),
      endMetricCheck: os.projects.endMetricCheck.handler(() => service.endMetricCheck()),
      browse: os.projects.browse.handler(({ input }) => browseFolder(input.path, input.hidden)),
      choose: os.projects.choose.handler(() => {
        if (!host.chooseFolder) throw new PawlError('usage', 'This host has no folder dialog.');
        return host.chooseFolder();
      }),
      models: os.projects.models.handler(({ input }) => listModels(input, service.engine.surroundings)),
      spendPlan: os.projects.spendPlan.handler(async ({ input }) =>
        readSpendPlan(ledger, paths.home, await openRepository(cleanPath(input.path)), input),
      ),
      createSample: os.projects.createSample.handler(async ({ input }) => ({
        path: await openSample(input.name, paths),
      })),
      forget: os.projects.forget.handler(async ({ input }) => {
        ledger.write(() => ledger.projects.forget(input.gitDir));
        await service.announceProjects();
      }),
      saveContract: os.projects.saveContract.handler(async ({ input }) => ({
        file: await saveContract(input.path, contractFromFile(input.contract)),
      })),
    },
    studies: {
      start: os.studies.start.handler(({ input: { path, tag, contract, ...asked } }) =>
        service.start({
          ...asked,
          repositoryPath: cleanPath(path),
          tag: tag || undefined,
          contract: contract && contractFromFile(contract, 'form'),
        }),
      ),
      resume: os.studies.resume.handler(async ({ input }) => {
        const { study, repository, agreesUncontained, ...asked } = input;
        const settings = { ...asked, repositoryPath: repository };
        service.requireReady(study);
        if (agreesUncontained) service.engine.agreeToUncontained();
        await service.engine.requireReady(study, settings);
        service.begin(study, settings);
        return service.card(input.study);
      }),
      request: os.studies.request.handler(({ input }) => service.request(input.study, input.kind)),
      stopRun: os.studies.stopRun.handler(({ input }) => service.stopRun(input.study, input.n)),
      steer: os.studies.steer.handler(async ({ input }) => {
        const effect = await steeringEffect(ledger, requireOwnStudy(ledger, input.study), input.text);
        const mark = ledger.write(() => ledger.marks.add(input.study, 'steered', input.text, now()));
        announcer.announceMark(input.study, mark);
        return effect;
      }),
      setApproval: os.studies.setApproval.handler(({ input }) => {
        requireOwnStudy(ledger, input.study);
        announcer.announceMark(input.study, service.engine.setApproval(input.study, input.asks));
        announcer.announceStudy(input.study);
      }),
      review: os.studies.review.handler(({ input }) => readReview(ledger, input.study, input.n)),
      decide: os.studies.decide.handler(({ input }) =>
        service.engine.decide(input.study, input.review, input.decision),
      ),
      applyBest: os.studies.applyBest.handler(({ input }) => service.applyBest(input.study, input.branch)),
      cells: os.studies.cells.handler(({ input }) =>
        ledger.cells.before(input.study, input.before ?? Number.MAX_SAFE_INTEGER, input.limit),
      ),
      tableRows: os.studies.tableRows.handler(({ input }) => ledger.tableRows.read(input.study, input.ns)),
      constants: os.studies.constants.handler(({ input }) =>
        constants.read(requireStudy(ledger, input.study), input.ns),
      ),
      gpuUse: os.studies.gpuUse.handler(({ input }) => gpuUses.read(input.study, input.ns)),
      importance: os.studies.importance.handler(({ input }) =>
        weighStudy(ledger, constants, requireStudy(ledger, input.study)),
      ),
      marks: os.studies.marks.handler(({ input }) => ({
        marks: ledger.marks.list(input.study),
        refusals: ledger.refusals
          .list(input.study)
          .map(({ n, at, reason, message, hypothesis }) => ({ n, at, reason, message, hypothesis })),
      })),
      outlines: os.studies.outlines.handler(() => readOutlines(ledger)),
      diskUse: os.studies.diskUse.handler(() => readDiskUse(ledger, paths)),
      rename: os.studies.rename.handler(({ input }) => {
        requireStudy(ledger, input.study);
        ledger.write(() => ledger.studies.setTitle(input.study, input.title));
        announcer.announceStudy(input.study);
      }),
      archive: os.studies.archive.handler(({ input }) => {
        requireStudy(ledger, input.study);
        ledger.write(() => ledger.studies.setArchived(input.study, input.isArchived ? now() : null));
        // Once a study is archived, nobody watches its jobs on other machines.
        if (input.isArchived) void service.endJobs(input.study);
        announcer.announceStudy(input.study);
      }),
      loss: os.studies.loss.handler(({ input }) =>
        readLoss(ledger, requireStudy(ledger, input.study), paths),
      ),
      remove: os.studies.remove.handler(({ input }) => service.removeStudy(input.study, input.keepsRefs)),
      debrief: os.studies.debrief.handler(({ input }) =>
        readDebrief(ledger, requireStudy(ledger, input.study), input.sitting, now()),
      ),
      arms: os.studies.arms.handler(({ input }) => armsOfStudies(ledger, requireStudy(ledger, input.study))),
      summarise: os.studies.summarise.handler(({ input, signal }) =>
        writeSummary(
          requireOwnStudy(ledger, input.study),
          input.sitting,
          { ...messagePorts, ...service.engine.surroundings },
          signal ?? new AbortController().signal,
        ),
      ),
      report: os.studies.report.handler(async ({ input: { sitting, format, hasDiffs, ...input } }) => {
        const study = requireStudy(ledger, input.study);
        return {
          text: await writeReport(
            ledger,
            study,
            { sitting, format, hasDiffs },
            { now: now(), paths, environment },
          ),
        };
      }),
      search: os.studies.search.handler(({ input }) =>
        ledger.notes.search(input.study, input.words, SEARCH_HITS).map(hit => hit.n),
      ),
      import: os.studies.import.handler(({ input: { source, tag, goal, metric } }) =>
        service.import(
          'path' in source
            ? { path: cleanPath(source.path) }
            : { name: source.name, content: Buffer.from(source.text) },
          { tag: tag || null, goal: goal ?? null, metric: metric ?? null },
        ),
      ),
      export: os.studies.export.handler(({ input }) => {
        const study = requireStudy(ledger, input.study);
        return refusing(
          inChunks(
            input.format === 'json'
              ? exportJson(ledger, study)
              : [input.format === 'csv' ? exportCsv(ledger, study) : exportTsv(ledger, study)],
          ),
        );
      }),
    },
    stack: stackHandlers(service, os.stack),
    ideas: ideaHandlers(service, os.ideas),
    jobs: jobHandlers(service, os.jobs),
    experiments: {
      ...handyHandlers(service, os.experiments),
      get: os.experiments.get.handler(({ input }) => readExperiment(ledger, input.study, input.n)),
      diff: os.experiments.diff.handler(({ input }) =>
        readExperimentDiff(ledger, input.study, input.n, input.against),
      ),
      constants: os.experiments.constants.handler(({ input }) =>
        readConstantDifferences({ ledger, paths }, requireOwnStudy(ledger, input.study), input.ns),
      ),
      series: os.experiments.series.handler(({ input }) => readSeries(ledger, input)),
      sparklines: os.experiments.sparklines.handler(({ input }) =>
        sparklines.read(input.study, input.ns, input.width),
      ),
      log: os.experiments.log.handler(({ input }) => {
        requireOf(input);
        const { study, n, k, from, to } = input;
        return readLogPiece(runLog(paths, study, n, k), { from, to }, !isRunSettled(study, n, k));
      }),
      searchLog: os.experiments.searchLog.handler(({ input, signal }) => {
        requireOf(input);
        const { study, n, k, words } = input;
        return searchLog(runLog(paths, study, n, k), words, signal);
      }),
      output: os.experiments.output.handler(({ input, signal }) => {
        requireOf(input);
        const { study, n, k } = input;
        return refusing(followOutput(runLog(paths, study, n, k), () => !isRunSettled(study, n, k), signal));
      }),
      addNote: os.experiments.addNote.handler(({ input }) => {
        requireOf(input);
        ledger.write(() => ledger.notes.add(input.study, input.n, input.text, now()));
        announcer.announceCell(input.study, input.n);
      }),
      enterNumber: os.experiments.enterNumber.handler(({ input: { study, n, value, source } }) => {
        enterNumber(ledger, requireStudy(ledger, study), n, { value, source }, now());
        announcer.announceCell(study, n);
      }),
      setTags: os.experiments.setTags.handler(({ input }) => {
        requireOf(input);
        ledger.write(() => ledger.notes.setTags(input.study, input.n, input.tags));
        announcer.announceCell(input.study, input.n);
      }),
    },
    proposers: {
      agents: os.proposers.agents.handler(async ({ input }) =>
        detectAgents(
          programsOf(await readUserSettings(paths.home)),
          environment,
          input.isPatient ? VERSION_PATIENCE_MS : 0,
        ),
      ),
      tryAgent: os.proposers.tryAgent.handler(({ input, signal }) =>
        tryAgent(
          input,
          {
            ...{ environment, home: paths.home, scratch: paths.scratch },
            mayBeUncontained: service.engine.hasAgreedToUncontained(),
          },
          signal ?? new AbortController().signal,
        ),
      ),
      records: os.proposers.records.handler(({ input }) => readProposerRecords(ledger, input.study)),
    },
    channel: {
      get: os.channel.get.handler(() => viewChannel(ledger)),
      preview: os.channel.preview.handler(({ input }) =>
        previewMessages(withToken(ledger, input.form, input.token), messagePorts),
      ),
      test: os.channel.test.handler(async ({ input }) => {
        const outcome = await postTest(withToken(ledger, input.form, input.token), messagePorts);
        return { error: outcome.kind === 'sent' ? null : outcome.error };
      }),
      save: os.channel.save.handler(({ input: { form, token, isOn } }) => {
        ledger.write(() => saveChannel(ledger, { ...withToken(ledger, form, token), isOn }));
        return viewChannel(ledger);
      }),
    },
    keys: {
      status: os.keys.status.handler(
        () => host.keys?.status() ?? { isAvailable: false, isPlain: false, hasKey: false },
      ),
      store: os.keys.store.handler(({ input }) => requireKeys().store(input.key)),
      forget: os.keys.forget.handler(() => requireKeys().forget()),
    },
    ...briefingHandlers(service, os),
  };
}

export type PawlRouter = ReturnType<typeof createRouter>;

async function* inChunks(pieces: Iterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < EXPORT_CHARACTERS) continue;
    yield chunk;
    chunk = '';
    // Let the engine run between two pieces of a long file.
    await nextTurn();
  }
  if (chunk !== '') yield chunk;
}
