import { expect, test } from 'vitest';
import { directionOf } from '../src/shared/contract/metric-direction.ts';

test.each([
  ...[
    'val_bpb',
    'eval_loss',
    'rmse',
    'latency_ms',
    'score_ns',
    'total_µs',
    'p99',
    'error_rate',
    'wall_seconds',
    'val_fid',
    'ns/op',
    'BenchmarkParse/twitter B/op',
    's/iter',
  ],
])('%s is to be low', name => {
  expect(directionOf(name)).toBe('minimize');
});

test.each([
  ...[
    'accuracy',
    'valAccuracy',
    'f1',
    'Sharpe Ratio',
    'tok/s',
    'tokens_per_sec',
    'ops/ms',
    'throughput_tflops',
    'pass_rate',
  ],
])('%s is to be high', name => {
  expect(directionOf(name)).toBe('maximize');
});

test.each([
  ...[
    'neg_mean_squared_error',
    'neg_log_likelihood',
    '1-accuracy',
    'errors_per_second',
    'cost_per_hour',
    'accuracy_drop',
  ],
  ...[
    'time_saved',
    'memory_saved',
    'loss_reduction',
    'uptime_seconds',
    'distance_travelled',
    'foo',
    'time_to_accuracy',
  ],
])('nobody can tell of %s', name => {
  expect(directionOf(name)).toBeNull();
});
