import type { Goal } from './contract.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter(Boolean));

/** Words that mean a cost. */
const COSTS = words(`
  bpb bpc bpd nll loss error errors err rmse mse mae mape smape perplexity ppl wer cer fid divergence kl brier ece
  logloss regret cost price penalty drawdown violations failures failed misses conflicts time latency duration delay
  elapsed runtime seconds minutes hours size bytes memory mem vram rss allocs allocations instructions cycles steps
  energy watts joules params distance edits tokens length loc warnings smells regressions p50 p90 p95 p99
`);

/** Words that mean a gain. */
const GAINS = words(`
  acc accuracy score auc auroc auprc roc f1 precision recall r2 sharpe sortino calmar throughput qps rps tps iops fps
  ops speed bleu rouge meteor reward rewards return returns pnl profit profits revenue funds equity cagr win wins winrate pass
  passes passed passrate hit hits ndcg mrr map iou miou dice psnr ssim speedup tflops gflops flops mfu coverage correct
  kappa mcc bandwidth similarity cosine quality fitness utility likelihood elo conversion ctr solved success alpha
  correlation spearman pearson
`);

/** Words that reverse a name's direction or leave it open: `neg_mean_squared_error`, `time_saved`, `accuracy_drop`. */
const TURNS = words(`
  neg negative negated inverse inverted minus one saved savings reduction reduced drop decrease uptime travelled traveled
  remaining left until survived
`);

/** Things of which nobody wants more per second or hour. */
const BAD_RATES = words(`
  error errors failure failures failed cost costs dropped drops misses missed violations loss losses price watts energy crashes
`);

/** At the end of a name, these are units of which less is better. */
const COST_UNITS = words('ns us µs μs ms s sec secs msec usec nsec kb mb gb kib mib gib');

/** `tokens_per_sec`, `tok/s`, `samples_per_second`, `tg_tok_s`. */
const RATE =
  /(?:\bper[\s_-]?|\/\s*|_p|\b(?:toks?|tokens?|reqs?|requests?|ops|samples|imgs?|images|frames|rows|docs|its|iters|steps|[kmg]?b|bytes)[\s_-]?)(?:[nuµμm]?s|msec|usec|sec|secs|second|min|minute|hour|h)$/i;

/** What one operation takes, as Go's benchmarks print it: `ns/op`, `B/op`. */
const COST_OF_ONE =
  /(?:^|[\s_])(?:[nuµμm]?s|[kmg]?b|bytes|allocs|cycles)\/(?:op|iter|step|call|req|request|item|token)$/i;

/** The direction that a metric's name implies; null if it implies none, or its words disagree. */
export function directionOf(name: string): Goal | null {
  const parts = name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  if (parts.some(part => TURNS.has(part)) || /^1\s*-/.test(name)) return null;
  if (COST_OF_ONE.test(name)) return 'minimize';
  if (RATE.test(name.replaceAll('_', ' ').trim()) || RATE.test(name)) {
    return parts.some(part => BAD_RATES.has(part)) ? null : 'maximize';
  }
  if (parts.length > 1 && COST_UNITS.has(parts.at(-1) ?? '')) return 'minimize';
  const told = new Set<Goal>();
  for (const part of parts) {
    if (COSTS.has(part)) told.add('minimize');
    if (GAINS.has(part)) told.add('maximize');
  }
  // A rate of errors is an error, and so is the error of a score.
  const last = parts.at(-1) ?? '';
  if (/^(?:loss|errors?|err)$/.test(last)) return 'minimize';
  const [only] = told;
  return told.size === 1 && only !== undefined ? only : null;
}
