import { expect, test } from 'vitest';
import { printedBy as file, readOutput as read } from './support/read-output.ts';

const K6 = `
     checks.........................: 100.00% 4120 out of 4120
     http_req_duration..............: avg=101.2ms min=90ms    med=98.1ms  max=1.21s  p(90)=180.3ms p(95)=212.5ms
       { expected_response:true }...: avg=101.2ms min=90ms    med=98.1ms  max=1.21s  p(90)=180.3ms p(95)=212.5ms
     http_reqs......................: 4120   68.6/s
     iteration_duration.............: avg=1.1s    min=1.09s   med=1.1s    max=2.2s   p(90)=1.18s   p(95)=1.22s
`;

const BENCHMARK_JS = `sort three x 2,631,688 ops/sec ±19.11% (7 runs sampled)
reverse x 23,743,684 ops/sec ±11.84% (7 runs sampled)
`;

const TINYBENCH = `┌─────────┬───────────┬───────────────────┬────────────────────────┬─────────┐
│ (index) │ Task name │ Latency avg (ns)  │ Throughput avg (ops/s) │ Samples │
├─────────┼───────────┼───────────────────┼────────────────────────┼─────────┤
│ 0       │ 'sort'    │ '305.12 ± 51.55%' │ '7596477 ± 0.06%'      │ 163869  │
│ 1       │ 'reverse' │ '115.38 ± 45.48%' │ '22917191 ± 0.04%'     │ 451406  │
└─────────┴───────────┴───────────────────┴────────────────────────┴─────────┘
`;

const CONSOLE_TABLE = `┌─────────┬─────┐
│ (index) │ ms  │
├─────────┼─────┤
│ sort    │ 1.5 │
│ rev     │ 2   │
└─────────┴─────┘
`;

const CRITERION = `Benchmarking encode/short: Warming up for 3.0000 s
encode/short            time:   [22.250 ns 22.310 ns 22.391 ns]
                        thrpt:  [44.7 MiB/s 44.9 MiB/s 45.0 MiB/s]
                        change: [-1.2% +0.5% +2.0%] (p = 0.30 > 0.05)
Found 3 outliers among 100 measurements (3.00%)
decode/a_name_that_is_long
                        time:   [1.2401 µs 1.2500 µs 1.2610 µs]
`;

const REPORT = `
              precision    recall  f1-score   support

         cat       0.95      0.96      0.95        57
           0       0.94      0.92      0.93        57

    accuracy                           0.95       114
   macro avg       0.95      0.94      0.94       114
weighted avg       0.95      0.95      0.95       114
`;

const DETECTIONS = `
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100% ━━━━━━━━━━━━ 1/1 5.1it/s 0.2s
                   all          8          8      0.604      0.512      0.581   4.31e-01
Speed: 0.1ms preprocess, 17.2ms inference, 0.0ms loss, 0.2ms postprocess per image
`;

test.each([
  ['at-sign', 'combined', 0.61],
  ['at-sign', 'recall@1', 0.61],
  ['dashes_then_text', 'val_bpb', 0.9979],
  ['several-blocks', 'min_test_pnl', 20],
  ['equals_and_fstring', 'val_bpb', 0.9979],
  ['hf-trainer', 'eval_loss', 0.42],
  ['json', 'accuracy', 0.91],
  ['keras', 'val_accuracy', 0.82],
  ['lightning', 'val_loss', 0.4312],
  ['progress-forms', 'val_accuracy', 0.81],
  ['progress-forms', 'val_loss', 0.42],
  ['logging-prefix', 'val_auc', 0.9123],
  ['metric-micro', 'total_µs', 3100],
  ['names-with-spaces', 'Sharpe Ratio', 1.234],
  ['names-with-spaces', 'MEAN SHARPE (all windows)', 1.3],
  ['nanochat', 'Minimum validation bpb', 0.8123],
  ['nanochat', 'Validation bpb', 0.8123],
  ['number-with-a-failed-guard', 'throughput_tflops', 150.1],
  ['go-bench', 'ns/op', 1234],
  ['go-bench', 'BenchmarkX ns/op', 1234],
  ['go-bench', 'val_bpb', 0.81],
  ['open_progress_line', 'val_bpb', 0.9979],
  ['tqdm_open_bar', 'val_loss', 0.9979],
  ['si_progress', 'val_loss', 2.5],
  ['speedrun', 'val_bpb', 1.2243657],
  ['tqdm_desc_is_metric', 'val_acc', 0.9123],
  ['tqdm-description', 'loss', 0.1],
  ['tqdm-description', 'val_acc', 0.64],
  ['tqdm-description', 'Loss', 0.5],
  ['tinygrad', 'test_accuracy', 97],
  ['ignite', 'loss', 0.542],
  ['fastai', 'accuracy', 0.75],
  ['ultralytics', 'all mAP50-95', 0],
  ['ultralytics', 'red mAP50', 0],
  ['ultralytics', 'box_loss', 2.072],
  ['skorch', 'valid_acc', 0.95],
  ['skorch', 'valid_loss', 0.1119],
  ['sklearn-boosting', 'OOB Improve', 0.1279],
  ['xgboost', 'test-rmse', 1.08281],
  ['lightgbm', "valid's l2", 0.90262],
  ['catboost', 'bestTest', 0.9719908289],
  ['clu', 'val_loss', 0.0487805],
  ['keras-checkpoint', 'val_loss', 0.8194],
  // Of the whole set; the last batch's is 0.606.
  ['timm', 'Loss', 0.475],
  ['nanogpt', 'val loss', 4.8562],
  ['nanogpt', 'train loss', 4.861],
  ['mlx-lm', 'Test loss', 5.462],
  ['mlx-lm', 'Test ppl', 235.468],
  ['mlx-lm', 'val', 5.443],
  ['mlx-lm', 'train_loss', 5.468],
  ['stable-baselines3', 'mean_reward', 219.67],
  ['stable-baselines3', 'ep_rew_mean', 29.8],
  ['maxtext', 'loss', 11.689],
  ['composer', 'metrics/eval/MulticlassAccuracy', 0.9805],
  // The tracker repeats numbers at the end: rounded, and `loss` of the last batch.
  ['wandb', 'val_bpb', 0.95098763],
  ['wandb', 'loss', 2.50000001],
  ['wandb', 'test_acc', 0.12346],
  ['comet', 'val_bpb', 0.97],
  ['ray-tune', 'val_bpb', 0.95111119],
])('of %s %s is %d', (name, metric, value) => {
  const { value: found, message } = read(file(name), { name: metric });
  expect(found).toBe(value);
  expect(message).toBeNull();
});

test.each([
  ['keras', 'loss', [1.9, 1.8, 1.7, 1.6, 1.5, 1.9, 1.8, 1.7, 1.6, 1.5]],
  ['keras', 'val_loss', [0.431, 0.432]],
  ['lightning', 'train_loss', [2, 1.8, 1.6, 1.4, 1.2, 1]],
  ['progress-forms', 'loss', [0.9, 3.2312]],
  ['progress-forms', 'lr', [3e-4]],
  ['tqdm_open_bar', 'loss', [3, 2.8, 2.6, 2.4, 2.2, 2, 1.8, 1.6, 1.4, 1.2, 1]],
  ['tqdm_open_bar', 'step', [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]],
  ['speedrun', 'step', [5, 20_000]],
  ['speedrun', 'train_loss', [6.9357]],
  ['si_progress', 'tok/s', [998_700, 999_900, 1_020_000, 1_050_000]],
  ['si_progress', 'dt', [980, 999, 1100, 1200]],
  ['nanochat', 'Validation bpb', [0.8123]],
  ['tqdm_desc_is_metric', 'val_acc', []],
  ['tqdm-description', 'Loss', [2, 2, 1, 1, 2 / 3, 2 / 3, 0.5, 0.5]],
  ['tinygrad', 'test_accuracy', [93, 94, 95, 96, 97, 97]],
  ['tinygrad', 'step', [1, 2, 3, 4, 5, 5]],
  ['fastai', 'epoch', [0, 1]],
  ['fastai', 'valid_loss', [0.600207, 0.589313]],
  ['skorch', 'valid_acc', [0.875, 0.95, 0.975, 0.95, 0.95, 0.95]],
  ['ultralytics', 'epoch', [59, 59, 60, 60]],
  ['skorch', 'dur', [0.2197, 0.1451, 0.5459, 0.1046, 0.3639, 0.3515]],
  ['sklearn-boosting', 'Train Loss', [1.6384, 1.4776, 1.6312, 1.4984]],
  ['sklearn-iterations', 'loss', [1.40294905, 1.39028948, 1.37799134, 1.3667618]],
  ['xgboost', 'step', [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ['xgboost', 'test-rmse', [1.22796, 1.11122, 1.05801, 1.06097, 1.06547, 1.06193, 1.07867, 1.0839, 1.08281]],
  ['lightgbm', "valid's l2", [1.22592, 0.991668, 0.913454, 0.907341, 0.921839, 0.90262]],
  ['catboost', 'step', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ['clu', 'train/loss', [1, 0.0909091, 0.047619, 0.0322581, 0.0243902]],
  ['keras-checkpoint', 'from', []],
  ['nanogpt', 'val loss', [4.8678, 4.8587, 4.8562]],
  ['nanogpt', 'train loss', [4.8589, 4.8687, 4.861]],
  ['nanogpt', 'step', [0, 20, 40]],
  ['nanogpt', 'loss', [4.8612, 4.8669, 4.8591, 4.8606, 4.858, 4.874, 4.8635, 4.851, 4.8693]],
  ['mlx-lm', 'iter', [1, 10, 20, 20, 30, 40, 40]],
  ['mlx-lm', 'val', [5.549, 5.512, 5.443]],
  ['mlx-lm', 'train_loss', [5.548, 5.519, 5.492, 5.468]],
  ['mlx-lm', 'tok/s', [10, 9631, 11_927, 11_357]],
  ['stable-baselines3', 'step', [512, 1024, 1536]],
  ['stable-baselines3', 'ep_rew_mean', [25.6, 25.7, 29.8]],
  ['stable-baselines3', 'value_loss', [99.4, 82.7]],
  ['maxtext', 'step', [0, 1, 2]],
  ['maxtext', 'loss', [12.038, 12.038, 11.689]],
  ['composer', 'loss/train/total', [0.2393, 0.4049, 0.1959]],
  ['timm', 'epoch', [0, 0, 0, 0, 1, 1, 1, 1]],
  ['timm', 'Loss', [0.751, 0.479, 0.41, 0.404, 0.496, 0.545, 0.461, 0.467]],
  ['keras-checkpoint', 'to', []],
])('of %s the series %s is read', (name, series, values) => {
  expect(read(file(name), { name: 'none' }).series(series)).toEqual(values);
});

test.each<[string, string, string, number | null]>([
  [
    'in an array of one number',
    'global_step=25, return=[25.]\nglobal_step=50, return=[31.5]',
    'return',
    31.5,
  ],
  ['in an array of arrays', 'loss: array([[0.25]], dtype=float32)', 'loss', 0.25],
  ['not in an array of several', 'loss: [0.25 0.5]', 'loss', null],
  ['not in a list of several', 'loss: [0.25, 0.5]', 'loss', null],
  ['before the part of the data of the next', 'train loss: 0.5 test acc: 91%', 'train loss', 0.5],
  [
    'of all folds rather than of the last one',
    'Fold 1 | RMSE: 1.2\nFold 2 | RMSE: 1.3\nRMSE: 1.25',
    'RMSE',
    1.25,
  ],
  ['of folds, if there is no other', 'Fold 1 | RMSE: 1.2\nFold 2 | RMSE: 1.3', 'RMSE', 1.3],
  ['not of a fold beside a mean', 'Fold 1 | RMSE: 1.2\nFold 2 RMSE: 1.3\nMean RMSE: 1.25', 'RMSE', null],
  ['behind a glog prefix', 'I1128 10:00:00.123456 1234 train.py:42] val_auc: 0.9', 'val_auc', 0.9],
  ['behind a level and a logger', 'INFO:root:val_auc: 0.9', 'val_auc', 0.9],
  [
    'behind a logger that comes first',
    '2026-03-10 10:00:00,1 - my.train - INFO - val_auc: 0.9',
    'val_auc',
    0.9,
  ],
  [
    'behind what loguru writes',
    '2026-03-10 10:00:00.123 | INFO     | __main__:train:42 - val_auc: 0.9',
    'val_auc',
    0.9,
  ],
  ['behind a rank', '[rank0]: val_auc: 0.9', 'val_auc', 0.9],
  ['behind a bullet, in bold', '- **val_auc**: 0.9', 'val_auc', 0.9],
  ['in a row of a Markdown table', '| val_auc | 0.9 |', 'val_auc', 0.9],
  ['as an object behind a level', 'INFO {"val_auc": 0.9}', 'val_auc', 0.9],
  ['as a nested object', '{"test": {"val_auc": 0.9}}', 'test.val_auc', 0.9],
  [
    'as a word that only Python’s JSON has',
    '{"test": {"loss": NaN}, "note": "it\'s off"}',
    'test.loss',
    Number.NaN,
  ],
  ['as a dict of NumPy', "{'val_auc': np.float64(0.9), 'n': np.int64(3)}", 'val_auc', 0.9],
  ['as quoted numbers of a dict', "{'eval_loss': '0.42'}", 'eval_loss', 0.42],
  ['with a currency', 'final_funds: $10,234.50', 'final_funds', 10_234.5],
  ['with a minus and a currency', 'pnl: -$12.5', 'pnl', -12.5],
  ['at the end of a sentence', 'val_auc: 0.9.', 'val_auc', 0.9],
  ['without a separator', 'val_auc 0.9', 'val_auc', 0.9],
  ['with its deviation', 'val_auc: 0.9 ± 0.1', 'val_auc', 0.9],
  ['after a rule with other pairs', 'val_auc: 0.9\n-----\ntime: 3\n', 'val_auc', 0.9],
  ['as one that it was before', 'best val_auc: 0.9\nprevious val_auc: 0.7', 'val_auc', 0.9],
  ['as the last of an epoch and the final one', 'epoch 1 val_auc=0.8\nfinal val_auc = 0.9', 'val_auc', 0.9],
  ['as a change', 'val_auc: 0.7 -> 0.9', 'val_auc', null],
  ['as a share of a bar', 'val_auc:  20%|██        | 10/50', 'val_auc', null],
  ['as a part of another name', 'my_val_auc: 0.9', 'val_auc', null],
  ['as what is wished for', 'target val_auc: 0.9', 'val_auc', null],
  ['in a unit that is told with a rate', 'speed: 1.5 GB/s', 'speed', 1.5],
  ['as a time of several parts', 'total_time: 1m 23s', 'total_time', 83],
  ['as a time of several parts without spaces', 'total_time=2h5m3.5s', 'total_time', 7503.5],
  ['as digits in groups', 'pnl: 1 234 567', 'pnl', null],
  ['in a tensor', 'val_auc: tensor(0.9, device=0)', 'val_auc', 0.9],
  ['with its deviation behind a plus', 'test-rmse-mean:0.6+0.02', 'test-rmse-mean', 0.6],
  ['beside a nested one of its name', '{"score": 2, "baseline": {"score": 1}}', 'score', 2],
  ['beside a nested one of its name in a dict', "{'score': 2, 'baseline': {'score': 1}}", 'score', 2],
  ['as the only nested one', "{'test': {'acc': 0.5, 'n': None}}", 'acc', 0.5],
  ['in several nested places', '{"a": {"acc": 0.5}, "b": {"acc": 0.6}}', 'acc', null],
  ['and taken back by null', '{"acc": 0.4}\n{"acc": null}', 'acc', null],
  [
    'before training and behind a bar',
    'val_loss: 10.9\n 50%|█    | 1/2 [00:01<00:01, 1it/s, val_loss=2.0]',
    'val_loss',
    2,
  ],
  [
    'alone and in a later dict behind a bar',
    "{'eval_loss': 0.9}\n100%|██| 2/2 [00:01<00:00]{'eval_loss': 0.8}",
    'eval_loss',
    0.8,
  ],
  ['behind one word only', 'test accuracy: 0.91', 'accuracy', 0.91],
  ['behind two words that differ', 'Test accuracy: 0.91\nTrain accuracy: 0.99', 'accuracy', null],
  [
    'beside the same of something else',
    'Return [%]   414.23\nBuy & Hold Return [%]   703.46',
    'Return [%]',
    414.23,
  ],
  ['behind a dump of the configuration', '---\nscore: 0\nlr: 0.1\nstart\nscore: 0.7', 'score', 0.7],
  ['final, behind a summary', '---\nval_bpb: 0.99\nSaved.\nFinal val_bpb: 0.95', 'val_bpb', 0.95],
  ['by METRIC, before words about it', 'METRIC time=3\nthe run with time=9 was first', 'time', 3],
  ['by two benchmarks of Go', 'BenchmarkA-8 10 5 ns/op\nBenchmarkB-8 10 7 ns/op', 'ns/op', null],
  ['of k6 by the name of its row', K6, 'http_req_duration p(95)', 212.5],
  ['of k6 alone', K6, 'http_reqs', 4120],
  ['of k6 from several rows', K6, 'p(95)', null],
  ['of benchmark.js by its name', BENCHMARK_JS, 'sort three ops/sec', 2_631_688],
  ['of benchmark.js alone', BENCHMARK_JS.split('\n')[1] ?? '', 'ops/sec', 23_743_684],
  ['of two of benchmark.js', BENCHMARK_JS, 'ops/sec', null],
  ['of tinybench by its name', TINYBENCH, 'reverse Latency avg (ns)', 115.38],
  ['of tinybench, not by the number of its row', TINYBENCH, '1 Latency avg (ns)', null],
  ['of an object in a table', CONSOLE_TABLE, 'rev ms', 2],
  ['of a single row of a table', CONSOLE_TABLE.split('│ rev')[0] ?? '', 'ms', 1.5],
  ['of criterion, the middle of three', CRITERION, 'encode/short time', 22.31],
  ['of criterion, with a name on a line of its own', CRITERION, 'decode/a_name_that_is_long time', 1.25],
  ['of criterion, its throughput', CRITERION, 'encode/short thrpt', 44.9],
  ['of a report on detections', DETECTIONS, 'mAP50-95', 0.431],
  ['of a report on detections, for all classes', DETECTIONS, 'all mAP50', 0.581],
  [
    'of a report on boxes and masks',
    DETECTIONS.replace('mAP50-95)', 'mAP50-95)     Mask(P          R      mAP50  mAP50-95)'),
    'mAP50',
    null,
  ],
  ['of a report by class', REPORT, 'macro avg f1-score', 0.94],
  ['of a report by another class', REPORT, '0 recall', 0.92],
  ['of a report, once for all', REPORT, 'accuracy', 0.95],
  ['of a report, in no one row', REPORT, 'f1-score', null],
  ['as a mean with its deviation', 'accuracy: 0.91 (0.02)  f1: 0.9 (0.03)', 'accuracy', 0.91],
  ['as the average of batches so far', 'Test: [ 10/79]  loss: 0.50 (0.62)  acc: 81.25 (79.5)', 'acc', 79.5],
  ['in a list of names and numbers', ' * Acc@1 70.100 Acc@5 89.200', 'Acc@1', 70.1],
  ['last in a list of names and numbers', ' * Acc@1 70.100 Acc@5 89.200', 'Acc@5', 89.2],
  ['before words that name no number', 'accuracy 0.9 after 10 epochs', 'accuracy', null],
  ['below a heading of words', 'epoch loss acc\n1 0.5 0.9\n2 0.4 0.95\n', 'acc', 0.95],
  ['below a heading with bars', '| iter | target |\n-----\n| 1    | 0.5    |\n', 'target', 0.5],
  [
    'below a heading with tabs',
    'step\tval_loss\ttook\n10\t0.5\t3\n20\t0.41234567\t3\n',
    'val_loss',
    0.41234567,
  ],
  ['below a heading, and taken back', 'epoch  acc\n1      0.5\n2      nan\n', 'acc', Number.NaN],
  ['below a heading, in an empty cell', 'epoch  acc  loss\n1      0.5  0.4\n2           0.3\n', 'acc', 0.5],
  ['below a sentence that begins like a heading', 'step size found\n10 steps done 3\n', 'size', null],
  ['below a heading, in a list of files', 'epoch  acc\n3 files were written\n', 'acc', null],
  ['as minutes and seconds', 'train_time: 1:23', 'train_time', 83],
  ['as hours, minutes and parts of seconds', 'train_runtime = 1:02:03.5', 'train_runtime', 3723.5],
  ['as a ratio', 'odds: 1:2', 'odds', null],
  [
    'by two benchmarks of Go, with the name',
    'BenchmarkA-8 10 5 ns/op\nBenchmarkB-8 10 7 ns/op',
    'BenchmarkA ns/op',
    5,
  ],
])('a value is read %s', (_, text, metric, value) => {
  expect(read(text, { name: metric }).value).toBe(value);
});

test('the part of the data before the next name is no unit', () => {
  const { reader } = read('train loss: 0.5 test acc: 91%\ntime: 3 ms loss: 2\n', { name: 'train loss' });
  expect(reader.summary()).toMatchObject({ 'train loss': 0.5 });
  expect(reader.units.get('train loss')).toBeUndefined();
  expect(read('time: 3 ms loss: 2\n', { name: 'time' }).reader.summary()).toEqual({ time: 3 });
});

test.each([
  ['loss: 0.5 acc: 0.9', null],
  ['loss: 0.5 acc = 0.9', null],
  ['loss: 0.5 val/acc: 0.9 val/acc_best: 1', null],
  ['loss: 0.5 ms: done', 'ms'],
  ['loss: 0.5 MB: done', 'MB'],
  ['loss: 0.5 tok/s: done', 'tok/s'],
  ['loss: 5%: done', '%'],
])('the unit of the first number of "%s" is %s', (text, unit) => {
  const { reader } = read(text, { name: 'loss' });
  expect(reader.units.get('loss') ?? null).toBe(unit);
});
