import { type Contract, defaultLimitSeconds } from '../../shared/contract/contract.ts';
import {
  DEFAULT_AUDIT,
  DEFAULT_BUDGET,
  DEFAULT_LIMITS,
  DEFAULT_METRIC,
  DEFAULT_SANDBOX,
} from '../../shared/contract/contract-defaults.ts';

/**
 * The shape of karpathy/autoresearch: `train.py` may change, `prepare.py` fixes data, metric and budget,
 * `program.md` instructs. Such a repository needs no pawl.toml.
 */
export const AUTORESEARCH_FILES = ['train.py', 'prepare.py', 'program.md'] as const;

/** Upstream's budget, used where prepare.py names none. */
const DEFAULT_BUDGET_SECONDS = 300;

/**
 * @param preparePy text of prepare.py, for its `TIME_BUDGET = <seconds>`
 * @param hasPyproject whether pyproject.toml is there: upstream's environment is uv's; without it plain Python
 */
export function autoresearchContract(preparePy: string, hasPyproject: boolean): Contract {
  const seconds = readBudget(preparePy) ?? DEFAULT_BUDGET_SECONDS;
  return {
    source: 'autoresearch',
    editable: ['train.py'],
    locked: null,
    instructions: 'program.md',
    train: hasPyproject ? 'uv run train.py' : 'python3 train.py',
    setup: null,
    environment: [],
    metric: { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize', memory: 'peak_vram_mb' },
    ...{ checks: [], score: null, model: null },
    audit: { ...DEFAULT_AUDIT, swaps: shardSwap(preparePy) },
    budget: { seconds, limitSeconds: defaultLimitSeconds(seconds), ...DEFAULT_BUDGET },
    stop: {},
    limits: DEFAULT_LIMITS,
    // Where upstream's prepare.py keeps the data and the tokenizer.
    sandbox: { ...DEFAULT_SANDBOX, reads: ['~/.cache/autoresearch'] },
  };
}

/**
 * The shard on which upstream validates, and the first of those on which it trains, which it always fetches. Null
 * unless prepare.py names both in upstream's words.
 */
function shardSwap(preparePy: string): Contract['audit']['swaps'] {
  const last = /^MAX_SHARD\s*=\s*(\d+)/m.exec(preparePy)?.[1];
  const isUpstreams =
    /^VAL_SHARD\s*=\s*MAX_SHARD\b/m.test(preparePy) &&
    /^CACHE_DIR\s*=.*"\.cache",\s*"autoresearch"\)/m.test(preparePy) &&
    /^DATA_DIR\s*=\s*os\.path\.join\(CACHE_DIR,\s*"data"\)/m.test(preparePy) &&
    preparePy.includes('shard_{VAL_SHARD:05d}.parquet');
  if (last === undefined || !isUpstreams) return [];
  const shard = (n: number) => `~/.cache/autoresearch/data/shard_${String(n).padStart(5, '0')}.parquet`;
  return [{ path: shard(Number(last)), other: shard(0) }];
}

/** `TIME_BUDGET = 300`, `5 * 60`, `3e2`. Null for any other expression, which is not guessed at. */
function readBudget(preparePy: string): number | null {
  const text = /^TIME_BUDGET\s*(?::\s*\w+\s*)?=\s*([\d_.eE+* ]+?)\s*(?:#.*)?$/m.exec(preparePy)?.[1];
  if (text === undefined) return null;
  const seconds = text
    .split('*')
    .map(factor => (factor.trim() === '' ? Number.NaN : Number(factor.replaceAll('_', ''))))
    .reduce((product, factor) => product * factor, 1);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
