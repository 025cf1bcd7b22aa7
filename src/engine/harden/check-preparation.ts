import { PythonLines } from './python-lines.ts';

/** What score.py needs from prepare.py: a pattern, and a description for the user. */
const WANTED: readonly (readonly [RegExp, string])[] = [
  [/^MAX_SEQ_LEN\s*=/, '`MAX_SEQ_LEN = 2048`'],
  [/^EVAL_TOKENS\s*=/, '`EVAL_TOKENS = 40 * 524288`'],
  [/^class Tokenizer\b/, '`class Tokenizer:`'],
  [/^\s+def from_directory\(cls(?:\s*,\s*\w+\s*=[^,]+)*\)/, '`def from_directory(cls, …)`'],
  [/^\s+def get_vocab_size\(self\)/, '`def get_vocab_size(self)`'],
  [
    /^def evaluate_bpb\(\s*\w+\s*,\s*\w+\s*,\s*\w+\s*(?:,\s*\w+\s*(?::[^,=]+)?=[^,]+)*\)/,
    '`def evaluate_bpb(model, tokenizer, batch_size)`',
  ],
  [
    /\bmodel\(\w+, \w+, reduction=(['"])none\1\)/,
    "`model(x, y, reduction='none')`, by which it is evaluated",
  ],
];

/** What score.py needs to evaluate on another shard. */
const WANTED_FOR_SHARD: typeof WANTED = [
  [/^DATA_DIR\s*=/, '`DATA_DIR = …`'],
  [/^VAL_FILENAME\s*=/, '`VAL_FILENAME = …`'],
  [/^\s+\w+ = os\.path\.join\(DATA_DIR, VAL_FILENAME\)/, '`val_path = os.path.join(DATA_DIR, VAL_FILENAME)`'],
];

/**
 * Throws `contract_unclear` if score.py cannot evaluate with this prepare.py.
 * @param hasShard whether it has to evaluate on another shard
 */
export function checkPreparation(path: string, text: string, hasShard: boolean): void {
  const code = new PythonLines(path, text);
  for (const [pattern, what] of [...WANTED, ...(hasShard ? WANTED_FOR_SHARD : [])]) code.only(pattern, what);
}
