import { type Line, PythonLines } from './python-lines.ts';
import { refuse } from './refuse.ts';

/** The file that the training leaves for the scorer. */
export const WEIGHTS = 'model.pt';

export type HardenedTraining = {
  readonly text: string;
  /** How many rows it evaluates at a time; null if the file gives no number. */
  readonly rows: number | null;
};

const CALL = '`val_bpb = evaluate_bpb(model, tokenizer, …)`';

/**
 * Edits train.py to save its weights before the evaluation and, when started with `--serve`, to answer with them
 * instead of training. Throws `contract_unclear`, naming the line it looked for, if that is missing or not clear.
 */
export function hardenTraining(path: string, text: string): HardenedTraining {
  const code = new PythonLines(path, text);
  const call = code.only(/(?<!def )\bevaluate_bpb\s*\(/, CALL);
  const asked =
    /=\s*evaluate_bpb\s*\(\s*([A-Za-z_]\w*)\s*,\s*[A-Za-z_]\w*\s*,\s*(\w+)\s*(?:,\s*device\s*=\s*[\w.]+\s*)?\)/.exec(
      call.text,
    );
  const [, model = '', rows = ''] = asked ?? [];
  if (!asked) throw refuse(`${place(code, call)} looks like ${CALL}, but is another call.`);
  checkServable(code);
  const made = code.only(
    new RegExp(`^\\s*${model}\\s*=\\s*[A-Z]\\w*\\(`),
    `\`${model} = GPT(config)\`, which makes the model that is evaluated`,
  );
  if (code.scopeOf(made)?.at !== code.scopeOf(call)?.at)
    throw refuse(
      `The model is made (${place(code, made)}) and evaluated (${place(code, call)}) in different functions.`,
    );
  const ready = findReady(code, model, made, call);
  const context = contextOf(code, call);
  if (context && !isKnown(code, context.expression, ready))
    throw refuse(
      `\`${context.expression}\`, which the evaluation uses (${place(code, context.head)}), is not defined yet where the model is ready (${place(code, ready)}).`,
    );
  return {
    rows: readRows(code, rows),
    text: code.insert([
      { before: ready, lines: serving(model, context?.expression ?? null, hasSys(code, ready)) },
      {
        before: context?.head ?? call,
        lines: [
          '# For score.py to evaluate.',
          `torch.save(getattr(${model}, "_orig_mod", ${model}).state_dict(), "${WEIGHTS}")`,
        ],
      },
    ]),
  };
}

function place({ path }: PythonLines, { at }: Line): string {
  return `${path}:${at + 1}`;
}

/** Checks that the model and the program can be asked for losses and distributions. */
function checkServable(code: PythonLines): void {
  code.only(/^import torch\s*(?:#.*)?$/, '`import torch`');
  code.only(
    /^\s*def forward\(self, \w+, targets=None, reduction=/,
    "`def forward(self, idx, targets=None, reduction='mean')`, which gives losses with targets and logits without",
  );
  const [parsed] = code.all(/\bparse_args\(/);
  if (parsed) throw refuse(`${place(code, parsed)} reads the program's arguments and would reject --serve.`);
  const [served] = code.all(/--serve\b/);
  if (served) throw refuse(`${place(code, served)} already serves something.`);
}

/** The line before which the model is ready but not used yet: where its optimizer is made, or where it is compiled. */
function findReady(code: PythonLines, model: string, made: Line, call: Line): Line {
  const heads = code.headsOf(made);
  // The model is made inside `with torch.device("meta"):` and filled afterwards.
  const block = /^\s*with\b/.test(heads[0]?.text ?? '') ? heads[0] : made;
  const what = `\`optimizer = …\` or \`${model} = torch.compile(${model}, …)\``;
  const pattern = new RegExp(`^\\s*(?:\\w*optimizer\\s*=[^=]|${model}\\s*=\\s*torch\\.compile\\()`);
  const found = code
    .all(pattern)
    .filter(line => line.at > made.at && line.at < call.at && line.indent === block?.indent)
    .filter(line => code.scopeOf(line)?.at === code.scopeOf(made)?.at);
  const [first] = found;
  if (!first)
    throw refuse(
      `No line of ${code.path} between ${made.at + 1}, where the model is made, and ${call.at + 1}, where it is evaluated, is like ${what} at the indentation of line ${(block ?? made).at + 1}.`,
    );
  return aboveComments(code, first);
}

/** The first of the comments directly above a line; the line itself if there are none. */
function aboveComments(code: PythonLines, line: Line): Line {
  const above = code.lines[line.at - 1];
  return above && above.indent === line.indent && /^\s*#/.test(above.text)
    ? aboveComments(code, above)
    : line;
}

/** The `with …:` directly above the evaluation. */
function contextOf(
  code: PythonLines,
  call: Line,
): { readonly head: Line; readonly expression: string } | null {
  const [head] = code.headsOf(call);
  const expression = /^\s*with\s+(.+?)\s*:\s*(?:#.*)?$/.exec(head?.text ?? '')?.[1];
  return head && expression !== undefined ? { head, expression } : null;
}

/** Whether the first name of an expression is defined before a line: it was assigned, or is torch. */
function isKnown(code: PythonLines, expression: string, before: Line): boolean {
  const name = /^[A-Za-z_]\w*/.exec(expression)?.[0] ?? '';
  if (name === 'torch') return true;
  return code.all(new RegExp(`^\\s*${name}\\s*=[^=]`)).some(({ at }) => at < before.at);
}

function hasSys(code: PythonLines, before: Line): boolean {
  return code.all(/^import sys\s*(?:#.*)?$/).some(({ at }) => at < before.at);
}

/** The whole number that a word is, or that one line assigns to it. */
function readRows(code: PythonLines, word: string): number | null {
  const given = code.all(new RegExp(`^\\s*${word}\\s*=[^=]`));
  const value = /^\d+$/.test(word) ? word : /=\s*(\d[\d_]*)\s*(?:#.*)?$/.exec(given[0]?.text ?? '')?.[1];
  const rows = Number(value?.replaceAll('_', ''));
  return rows > 0 && given.length < 2 ? rows : null;
}

function serving(model: string, context: string | null, hasSysImported: boolean): readonly string[] {
  const call = `pawl_losses.serve(${model}, "${WEIGHTS}")`;
  return [
    ...(hasSysImported ? [] : ['import sys']),
    '# Serves score.py with the weights that a training left: nothing is trained.',
    'if "--serve" in sys.argv:',
    '    import pawl_losses',
    ...(context === null ? [`    ${call}`] : [`    with ${context}:`, `        ${call}`]),
    '    sys.exit()',
    '',
  ];
}
