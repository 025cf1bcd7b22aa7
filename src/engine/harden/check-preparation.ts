import { PythonLines } from './python-lines.ts';

/** What score.py asks of prepare.py, as a pattern and as it is told to who looks for it. */
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

/** By what score.py has another shard evaluated. */
const WANTED_FOR_SHARD: typeof WANTED = [
  [/^DATA_DIR\s*=/, '`DATA_DIR = …`'],
  [/^VAL_FILENAME\s*=/, '`VAL_FILENAME = …`'],
  [/^\s+\w+ = os\.path\.join\(DATA_DIR, VAL_FILENAME\)/, '`val_path = os.path.join(DATA_DIR, VAL_FILENAME)`'],
];

/**
 * Throws `contract_unclear` where prepare.py is not one that score.py can evaluate by.
 * @param hasShard whether it is to evaluate on another shard
 */
export function checkPreparation(path: string, text: string, hasShard: boolean): void {
  const code = new PythonLines(path, text);
  for (const [pattern, what] of [...WANTED, ...(hasShard ? WANTED_FOR_SHARD : [])]) code.only(pattern, what);
}
