import type { z } from 'zod';
import { clusterFromFile, clusterToFile } from '../machines/cluster.ts';
import { type Contract, defaultLimitSeconds, type Requirement } from './contract.ts';
import {
  CHECK_SECONDS,
  DEFAULT_AUDIT,
  DEFAULT_BUDGET,
  DEFAULT_METRIC,
  DEFAULT_SANDBOX,
} from './contract-defaults.ts';
import {
  COMPARISON,
  type ContractFile,
  type contractFileSchema,
  durationSeconds,
} from './contract-schema.ts';
import { directionOf } from './metric-direction.ts';

/** Fills in the defaults of a valid file. */
export function contractFromFile(file: ContractFile, source: Contract['source'] = 'pawl.toml'): Contract {
  const { contract, metric, checks, score, audit, model, budget, stop, limits, sandbox, cluster } = file;
  return {
    source,
    editable: contract.editable,
    locked: contract.locked ?? null,
    instructions: contract.instructions ?? null,
    train: contract.train,
    setup: contract.setup ?? null,
    environment: contract.environment ?? [],
    metric: {
      name: metric.name,
      // The schema guarantees that there is one or the other.
      goal: metric.goal ?? directionOf(metric.name) ?? 'minimize',
      memory: metric.memory ?? null,
      memoryLimit: metric.memory_limit ?? null,
      pattern: metric.pattern ?? null,
      command: metric.command ?? null,
      commandSeconds: metric.command_seconds ?? DEFAULT_METRIC.commandSeconds,
      waitSeconds: metric.wait === undefined ? null : durationSeconds(metric.wait),
      pollSeconds: metric.poll === undefined ? DEFAULT_METRIC.pollSeconds : durationSeconds(metric.poll),
      require: Object.entries(metric.require ?? {}).map(([name, value]) => requirementOf(name, value)),
      verdict: metric.verdict ?? null,
      leastGain: metric.least_gain ?? DEFAULT_METRIC.leastGain,
      bound: metric.bound ?? DEFAULT_METRIC.bound,
    },
    checks: Object.entries(checks).map(([name, check]) => ({
      name,
      ...(typeof check === 'string'
        ? { command: check, seconds: CHECK_SECONDS }
        : { command: check.command, seconds: check.seconds ?? CHECK_SECONDS }),
    })),
    score: score
      ? {
          ...{ command: score.command, artifacts: score.artifacts, model: score.model ?? null },
          hasTwin: score.twin ?? true,
          ...{ reads: score.reads ?? [], seconds: score.seconds ?? CHECK_SECONDS },
        }
      : null,
    audit: {
      swaps: Object.entries(audit.swap ?? {}).map(([path, other]) => ({ path, other })),
      approvesHints: audit.approve_hints ?? DEFAULT_AUDIT.approvesHints,
    },
    model: model === undefined ? null : { name: model.name, baseUrl: model.base_url ?? null },
    budget: {
      seconds: budget.seconds,
      limitSeconds: budget.limit_seconds ?? defaultLimitSeconds(budget.seconds),
      prune: budget.prune ?? false,
      tolerance: budget.tolerance ?? DEFAULT_BUDGET.tolerance,
      startupSeconds: budget.startup_seconds ?? DEFAULT_BUDGET.startupSeconds,
      cores: budget.cores ?? DEFAULT_BUDGET.cores,
    },
    stop,
    limits: {
      memoryGb: limits.memory_gb ?? null,
      processes: limits.processes ?? null,
      freeDiskGb: limits.free_disk_gb ?? null,
    },
    sandbox: {
      mode: sandbox.mode ?? DEFAULT_SANDBOX.mode,
      network: sandbox.network ?? DEFAULT_SANDBOX.network,
      writes: sandbox.writes ?? DEFAULT_SANDBOX.writes,
      reads: sandbox.reads ?? DEFAULT_SANDBOX.reads,
      cacheMb: sandbox.cache_mb ?? DEFAULT_SANDBOX.cacheMb,
    },
    ...(cluster === undefined ? {} : { cluster: clusterFromFile(cluster) }),
  };
}

function requirementOf(name: string, value: string | number | boolean): Requirement {
  const [, how = '=', what = ''] = COMPARISON.exec(String(value)) ?? [];
  return { name, how: (how === '==' ? '=' : how) as Requirement['how'], value: what };
}

/** The file for a contract; the inverse of `contractFromFile`. */
export function contractToFile(contract: Contract): z.input<typeof contractFileSchema> {
  const { editable, locked, instructions, train, setup, environment } = contract;
  const { metric, checks, score, audit, model, budget, stop, limits, sandbox, cluster } = contract;
  const { commandSeconds, pollSeconds } = DEFAULT_METRIC;
  const { memoryGb, processes, freeDiskGb } = limits;
  const { mode, network, writes, reads, cacheMb } = sandbox;
  const cache = cacheMb === DEFAULT_SANDBOX.cacheMb ? {} : { cache_mb: cacheMb };
  return {
    contract: {
      editable: [...editable],
      ...(locked === null ? {} : { locked: [...locked] }),
      ...(instructions === null ? {} : { instructions }),
      train,
      ...(setup === null ? {} : { setup }),
      ...(environment.length === 0 ? {} : { environment: [...environment] }),
    },
    metric: {
      name: metric.name,
      goal: metric.goal,
      ...(metric.memory === null ? {} : { memory: metric.memory }),
      ...(metric.memoryLimit === null ? {} : { memory_limit: metric.memoryLimit }),
      ...(metric.pattern === null ? {} : { pattern: metric.pattern }),
      ...(metric.command === null ? {} : { command: metric.command }),
      ...(metric.commandSeconds === commandSeconds ? {} : { command_seconds: metric.commandSeconds }),
      ...(metric.waitSeconds === null ? {} : { wait: `${metric.waitSeconds}s` }),
      ...(metric.pollSeconds === pollSeconds ? {} : { poll: `${metric.pollSeconds}s` }),
      ...(metric.require.length === 0
        ? {}
        : {
            require: Object.fromEntries(
              metric.require.map(({ name, how, value }) => [name, `${how} ${value}`]),
            ),
          }),
      ...(metric.verdict === null ? {} : { verdict: metric.verdict }),
      ...(metric.leastGain === DEFAULT_METRIC.leastGain ? {} : { least_gain: metric.leastGain }),
      ...(metric.bound === null ? {} : { bound: metric.bound }),
    },
    ...(checks.length === 0
      ? {}
      : {
          checks: Object.fromEntries(
            checks.map(({ name, command, seconds }) => [
              name,
              seconds === CHECK_SECONDS ? command : { command, seconds },
            ]),
          ),
        }),
    ...(score === null
      ? {}
      : {
          score: {
            ...{ command: score.command, artifacts: [...score.artifacts] },
            ...(score.model === null ? {} : { model: score.model }),
            ...(score.hasTwin ? {} : { twin: false }),
            ...(score.reads.length === 0 ? {} : { reads: [...score.reads] }),
            ...(score.seconds === CHECK_SECONDS ? {} : { seconds: score.seconds }),
          },
        }),
    ...(audit.swaps.length === 0 && !audit.approvesHints
      ? {}
      : {
          audit: {
            ...(audit.swaps.length === 0
              ? {}
              : { swap: Object.fromEntries(audit.swaps.map(({ path, other }) => [path, other])) }),
            ...(audit.approvesHints ? { approve_hints: true } : {}),
          },
        }),
    ...(model === null
      ? {}
      : { model: { name: model.name, ...(model.baseUrl === null ? {} : { base_url: model.baseUrl }) } }),
    budget: {
      ...{ seconds: budget.seconds, limit_seconds: budget.limitSeconds },
      ...(budget.prune ? { prune: true } : {}),
      ...(budget.tolerance === DEFAULT_BUDGET.tolerance ? {} : { tolerance: budget.tolerance }),
      ...(budget.startupSeconds === DEFAULT_BUDGET.startupSeconds
        ? {}
        : { startup_seconds: budget.startupSeconds }),
      ...(budget.cores === null ? {} : { cores: budget.cores }),
    },
    ...(Object.keys(stop).length === 0 ? {} : { stop }),
    ...(memoryGb === null && processes === null && freeDiskGb === null
      ? {}
      : {
          limits: {
            ...(memoryGb === null ? {} : { memory_gb: memoryGb }),
            ...(processes === null ? {} : { processes }),
            ...(freeDiskGb === null ? {} : { free_disk_gb: freeDiskGb }),
          },
        }),
    ...(mode === 'preferred' &&
    !network &&
    reads.length === 0 &&
    writes.length === 0 &&
    !('cache_mb' in cache)
      ? {}
      : {
          sandbox: {
            ...{ mode, network, reads: [...reads] },
            ...(writes.length === 0 ? {} : { writes: [...writes] }),
            ...cache,
          },
        }),
    ...(cluster === undefined ? {} : { cluster: clusterToFile(cluster) }),
  };
}
