import { parser } from '@lezer/python';
import type { Candidate } from './constant.ts';
import { fieldOf, type Given, plainOption } from './given.ts';
import { choiceOf, type Literal, parseLiteral } from './literal.ts';
import { type SourceLine, splitLines } from './locked-sections.ts';
import { commandMadeBy, defaultOfParameter, isCommandOfTyper, readOption } from './python-options.ts';
import { argumentsOf, childrenOf, nameOf, placeOf, type SyntaxNode, wordOf } from './python-tree.ts';

/** Nobody tunes larger files by hand, and reading them takes time. */
const MAX_CHARACTERS = 256 * 1024;
/** Files with a syntax error take the parser far longer. */
const MAX_BROKEN_CHARACTERS = 128 * 1024;
const CHANGES = new Set([
  'UpdateStatement',
  'ForStatement',
  'WithStatement',
  'DeleteStatement',
  'NamedExpression',
]);
/** Variables in which launchers such as torchrun, srun and mpirun tell a process its place among others. */
const LAUNCHER = /^(?:(?:LOCAL_|NODE_|GROUP_)?RANK|(?:LOCAL_)?WORLD_SIZE|(?:SLURM|OMPI|PMI)_\w+)$/;
/** A value of an object of settings: `C.trainer.rate` (minGPT), `_C.SOLVER.RATE` (yacs), `config.rate` (ml_collections). */
const SETTING = /^(?:_?C|_?cfg|conf|config|hparams)(?:\.[A-Za-z]\w*)+$/;
/** Classes that are never made: their attributes are the settings, as in many notebooks. */
const SETTINGS_CLASS = /^(?:CFG|Cfg|\w*Config|Args|Params|\w*HParams|\w*Hyper[Pp]aram(?:eter)?s)$/;
/** What a program gives its options another value in: `args.batch_size = 64`. */
const OPTIONS_OBJECT = /^(?:args|opts?|flags|FLAGS|params|_?cfg|conf|config|hparams)\.(\w+)$/;
/** How deep calls such as `float(…)` may be nested. */
const MAX_CONVERSIONS = 4;

/**
 * Values of a Python file that are meant to be changed: `ALL_CAPS = literal` at the top level, defaults of
 * environment variables (`float(os.environ.get("LR", 0.04))`, with or without quotes), fields of dataclasses that no
 * call in the file sets, and defaults of options (`add_argument("--lr", default=3e-4)`) that the command does not
 * set. In a file without names in capitals, `lower_case = literal` at the top level, if nothing changes it.
 */
export function findPythonConstants(source: string, given: Given): PythonReading {
  const { module, comments, isWhole } = readModule(source, given);
  return { candidates: module.candidates(), lines: splitLines(source, comments), isWhole };
}

/** Names that a file assigns outside classes and functions. */
export function assignedNames(source: string): readonly string[] {
  return readModule(source, new Set()).module.assignedNames();
}

function readModule(
  source: string,
  given: Given,
): { readonly module: PythonModule; readonly comments: readonly number[] | null; readonly isWhole: boolean } {
  const { tree, isWhole } = parse(source);
  const module = new PythonModule(source, given);
  const comments: number[] = [];
  tree?.iterate({
    enter: ({ name, from, node }) => {
      if (name === 'Comment') comments.push(from);
      else if (name === 'AssignStatement') module.assign(node);
      else if (CHANGES.has(name)) module.change(node);
      else if (name === 'CallExpression') module.call(node);
      else if (name === 'ScopeStatement') module.scope(node);
      else if (name === 'FunctionDefinition') module.define(node);
    },
  });
  return { module, comments: tree ? comments : null, isWhole };
}

type PythonReading = {
  readonly candidates: readonly Candidate[];
  readonly lines: readonly SourceLine[];
  /** Whether the parser understood the whole file; its grammar may be older than the file's Python. */
  readonly isWhole: boolean;
};

function parse(source: string): {
  readonly tree: ReturnType<typeof parser.parse> | null;
  readonly isWhole: boolean;
} {
  if (source.length > MAX_CHARACTERS) return { tree: null, isWhole: false };
  try {
    return { tree: parser.configure({ strict: true }).parse(source), isWhole: true };
  } catch {
    return { tree: source.length > MAX_BROKEN_CHARACTERS ? null : parser.parse(source), isWhole: false };
  }
}

/** A field of a class, with its position. */
type Field = { readonly of: string; readonly name: string; readonly index: number };

/** The result of reading a module once. */
class PythonModule {
  readonly #source: string;
  readonly #given: Given;
  readonly #found: Candidate[] = [];
  /** How often the module assigns or changes a name outside classes and functions. */
  readonly #assigned = new Map<string, number>();
  /** Options and environment variables that the module itself sets. */
  readonly #set = new Set<string>();
  /** The fields that calls set for each class: their names, and how many by position. */
  readonly #made = new Map<string, { readonly names: Set<string>; count: number }>();
  /** Fields of dataclasses, by the name of their constant. */
  readonly #fields = new Map<string, Field>();
  readonly #fieldCounts = new Map<string, number>();
  /** Functions whose parameters are options, and the defaults of all functions of the module. */
  readonly #commands = new Set<string>();
  readonly #parameters: { readonly of: string; readonly name: string; readonly value: SyntaxNode }[] = [];

  constructor(source: string, given: Given) {
    this.#source = source;
    this.#given = given;
  }

  /** Values that take effect, as far as the module shows: no call, other assignment or other default overrides them. */
  candidates(): readonly Candidate[] {
    for (const { of, name, value } of this.#parameters) {
      if (this.#commands.has(of)) this.#add(`--${name}`, value, `--${name}`);
    }
    const writesCapitals = this.#found.some(isCapital);
    const found = this.#found.filter(candidate => !(writesCapitals && isPlain(candidate)));
    return found.filter(({ name, alias }) => {
      const field = this.#fields.get(name);
      const made = field && this.#made.get(field.of);
      const isMade = made && (made.names.has(field.name) || field.index < made.count);
      const calls = [
        ...(alias?.startsWith('-')
          ? [plainOption(alias), fieldOf(plainOption(alias))]
          : alias === undefined
            ? []
            : [alias]),
        ...(field ? [field.name, fieldOf(field.name)] : []),
        ...(SETTING.test(name) ? [name.slice(name.lastIndexOf('.') + 1)] : []),
      ];
      const isElsewhere = calls.some(call => this.#set.has(call) || this.#given.has(call));
      return !isMade && !isElsewhere && (this.#assigned.get(name) ?? 0) <= 1;
    });
  }

  assignedNames(): readonly string[] {
    return [...this.#assigned.keys()];
  }

  scope(node: SyntaxNode): void {
    // A function that declares `global NAME` assigns it.
    if (node.firstChild?.name !== 'global') return;
    for (const child of childrenOf(node)) if (child.name === 'VariableName') this.#count(this.#text(child));
  }

  assign(node: SyntaxNode): void {
    const children = childrenOf(node);
    const [target, second] = children;
    const [operator, value] = children.slice(-2);
    if (!target || !operator || !value) return;
    const place = placeOf(node);
    if (place.kind === 'module') {
      const last = children.findLastIndex(child => child.name === 'AssignOp');
      for (const child of children.slice(0, Math.max(last, 0))) {
        if (child.name === 'VariableName') this.#count(this.#text(child));
      }
    }
    if (target.name === 'MemberExpression') {
      const path = target.to - target.from > 200 ? '' : this.#text(target);
      const name = /\benviron\[\s*["'](\w{1,100})["']\s*\]$/.exec(path)?.[1];
      if (name !== undefined) this.#set.add(name);
      this.#overwrite(path, node, value);
      if (SETTING.test(path)) this.#assignSetting(path, node, value);
      else this.#count(path);
      return;
    }
    if (target.name !== 'VariableName') return;
    const name = this.#text(target);
    const type = second?.name === 'TypeDef' ? this.#text(second) : null;
    const isSimple = operator.name === 'AssignOp' && children.length === (type === null ? 3 : 4);
    if (
      place.kind === 'module' &&
      place.isTop &&
      isSimple &&
      /^(?:[A-Z][A-Z0-9_]*|[a-z][a-z0-9_]*)$/.test(name)
    ) {
      this.#add(name, value);
    }
    if (place.kind !== 'class') return;
    const of = nameOf(this.#source, place.node);
    if (type === null && isSimple && SETTINGS_CLASS.test(of)) this.#assignAttribute(of, name, value);
    if (type === null || /\bClassVar\b/.test(type) || !this.#isRecord(place.node)) return;
    const index = this.#fieldCounts.get(of) ?? 0;
    this.#fieldCounts.set(of, index + 1);
    this.#fields.set(`${of}.${name}`, { of, name, index });
    if (isSimple) this.#add(`${of}.${name}`, this.#defaultOf(value));
  }

  /**
   * `args.batch_size = args.envs * args.steps` in a function or `if __name__ == …`, or `self.batch_size = …` in
   * `__post_init__`: the default is not used, unless the new value is computed from it.
   */
  #overwrite(path: string, node: SyntaxNode, value: SyntaxNode): void {
    const block = node.parent?.name === 'Body' ? node.parent.parent : node.parent;
    const isMain =
      block?.name === 'IfStatement' &&
      /^if\s+__name__\b/.test(this.#source.slice(block.from, block.from + 40));
    const isMade = block?.name === 'FunctionDefinition' && nameOf(this.#source, block) === '__post_init__';
    const isCertain = isMain || block?.name === 'Script' || block?.name === 'FunctionDefinition';
    const field = OPTIONS_OBJECT.exec(path)?.[1] ?? (isMade ? /^self\.(\w+)$/.exec(path)?.[1] : undefined);
    if (field === undefined || !isCertain) return;
    if (!new RegExp(`\\b${field}\\b`).test(this.#text(value))) this.#set.add(fieldOf(field));
  }

  /** The defaults of a function of the module, which are those of options if the function is a command. */
  define(node: SyntaxNode): void {
    const list = node.getChild('ParamList');
    const place = placeOf(node);
    if (!list || place.kind !== 'module') return;
    const of = nameOf(this.#source, node);
    if (isCommandOfTyper(this.#source, node)) this.#commands.add(of);
    for (const { key, value } of argumentsOf(this.#source, list)) {
      if (key) this.#parameters.push({ of, name: key, value: defaultOfParameter(this.#source, value) });
    }
  }

  /** `rate = 1e-3` in a class of settings; another assignment to `CFG.rate` overrides it. */
  #assignAttribute(of: string, name: string, value: SyntaxNode): void {
    this.#count(`${of}.${name}`);
    this.#fields.set(`${of}.${name}`, { of, name, index: Number.POSITIVE_INFINITY });
    this.#add(`${of}.${name}`, value);
  }

  /** `config.model.depth = 4`, not inside an `if` or a loop, at the top level or in a function such as `get_config`. */
  #assignSetting(path: string, node: SyntaxNode, value: SyntaxNode): void {
    this.#count(path);
    const outer = node.parent?.name === 'Body' ? node.parent.parent : null;
    const isSettings =
      outer?.name === 'FunctionDefinition' && /config|default|param/i.test(nameOf(this.#source, outer));
    if (isSettings || node.parent?.name === 'Script') this.#add(path, value);
  }

  /** What gives names a new value otherwise: `x += 1`, `for x in`, `with … as x`, `del x`, `x := 1`. */
  change(node: SyntaxNode): void {
    if (placeOf(node).kind !== 'module') return;
    for (const child of childrenOf(node)) {
      if (/^(?:in|UpdateOp|AssignOp)$/.test(child.name)) return;
      if (child.name === 'VariableName') this.#count(this.#text(child));
    }
  }

  call(node: SyntaxNode): void {
    const callee = node.firstChild;
    const list = node.lastChild;
    if (!callee || list?.name !== 'ArgList' || callee.to - callee.from > 200) return;
    const path = this.#text(callee).replace(/\s+/g, '');
    const name = path.split('.').at(-1) ?? '';
    if (/^(?:os\.)?(?:environ\.get|getenv)$/.test(path)) this.#readVariable(node, list);
    else if (/^(?:os\.)?environ\.setdefault$/.test(path)) this.#setBy(list);
    else if (name === 'set_defaults')
      for (const { key } of argumentsOf(this.#source, list)) if (key) this.#set.add(key);
    const given = argumentsOf(this.#source, list);
    const option = readOption(this.#source, path, given);
    if (option) this.#add(option.name, option.value, option.name, option.isNumber, option.choices);
    const command = commandMadeBy(this.#source, path, given);
    if (command !== null) this.#commands.add(command);
    if (callee.name === 'VariableName') this.#make(path, list);
  }

  #make(className: string, list: SyntaxNode): void {
    const known = this.#made.get(className) ?? { names: new Set<string>(), count: 0 };
    const given = argumentsOf(this.#source, list);
    this.#made.set(className, known);
    known.count = Math.max(known.count, given.filter(({ key }) => key === null).length);
    for (const { key } of given) if (key) known.names.add(key);
  }

  #setBy(list: SyntaxNode): void {
    const name = wordOf(this.#source, argumentsOf(this.#source, list)[0]?.value);
    if (name !== null) this.#set.add(name);
  }

  /**
   * `float(os.environ.get("LR", 0.04))`: named after the variable it is assigned to, if that belongs to the module or
   * a class.
   */
  #readVariable(call: SyntaxNode, list: SyntaxNode): void {
    const given = argumentsOf(this.#source, list);
    const variable = wordOf(this.#source, given[0]?.value);
    const value = (given.find(({ key }) => key === 'default') ?? given[1])?.value;
    if (variable === null || !value || LAUNCHER.test(variable)) return;
    let outer = call;
    let isNumber = false;
    for (let depth = 0; depth < MAX_CONVERSIONS; depth += 1) {
      const above = outer.parent?.name === 'ArgList' ? outer.parent.parent : null;
      const how = above?.firstChild && this.#text(above.firstChild);
      if (!above || (how !== 'float' && how !== 'int' && how !== 'bool')) break;
      isNumber ||= how !== 'bool';
      outer = above;
    }
    this.#add(this.#targetOf(outer) ?? variable, value, variable, isNumber);
  }

  #targetOf(value: SyntaxNode): string | null {
    const statement = value.parent;
    const target = statement?.firstChild;
    if (statement?.name !== 'AssignStatement' || target?.name !== 'VariableName') return null;
    const place = placeOf(statement);
    if (place.kind === 'module') return this.#text(target);
    return place.kind === 'class' ? `${nameOf(this.#source, place.node)}.${this.#text(target)}` : null;
  }

  #add(
    name: string,
    value: SyntaxNode,
    alias?: string,
    isNumber = false,
    choices: readonly string[] = [],
  ): void {
    // For a number in quotes that is converted, the text between the quotes changes.
    const isQuoted = isNumber && value.name === 'String';
    const start = value.from + (isQuoted ? 1 : 0);
    const end = value.to - (isQuoted ? 1 : 0);
    const literal = isQuoted ? this.#number(start, end) : this.#literal(value, choices);
    if (!literal) return;
    this.#found.push({
      ...{ name, literal, start, end },
      ...(alias === undefined ? {} : { alias }),
    });
  }

  #number(start: number, end: number): Literal | null {
    const literal = end - start > 100 ? null : parseLiteral(this.#source.slice(start, end), '');
    return literal?.kind === 'integer' || literal?.kind === 'float' ? literal : null;
  }

  #literal(value: SyntaxNode, choices: readonly string[]): Literal | null {
    if (value.to - value.from > 1_000) return null;
    const text = this.#text(value);
    const word = wordOf(this.#source, value);
    if (word !== null && choices.length > 0) return choiceOf(text, word, choices);
    const end = this.#source.indexOf('\n', value.to);
    const rest = this.#source.slice(value.to, end < 0 ? undefined : Math.min(end, value.to + 1_000));
    const mark = rest.indexOf('#');
    return parseLiteral(text, mark < 0 ? '' : rest.slice(mark));
  }

  /** A field's default: the value itself, or the argument of `field(default=…)`. */
  #defaultOf(value: SyntaxNode): SyntaxNode {
    const list = value.name === 'CallExpression' ? value.lastChild : null;
    const given = list?.name === 'ArgList' ? argumentsOf(this.#source, list) : [];
    return given.find(({ key }) => key === 'default')?.value ?? value;
  }

  #isRecord(definition: SyntaxNode): boolean {
    const decorated = definition.parent?.name === 'DecoratedStatement' ? childrenOf(definition.parent) : [];
    const isDecorated = decorated.some(
      child =>
        child.name === 'Decorator' &&
        childrenOf(child).some(part =>
          /^(?:dataclass|define|frozen|mutable|attrs|chz)$/.test(this.#text(part)),
        ),
    );
    const bases = childrenOf(definition).find(child => child.name === 'ArgList');
    return (
      isDecorated || (bases !== undefined && /\b(?:BaseModel|NamedTuple|Struct)\b/.test(this.#text(bases)))
    );
  }

  #count(name: string): void {
    this.#assigned.set(name, (this.#assigned.get(name) ?? 0) + 1);
  }

  #text({ from, to }: SyntaxNode): string {
    return this.#source.slice(from, to);
  }
}

/** Where a module writes its constants in capitals, such names are its variables. */
function isPlain({ name, alias }: Candidate): boolean {
  return alias === undefined && /^[a-z][a-z0-9_]*$/.test(name);
}

/** A single letter is the name of a size (`B, T`), whatever the module writes otherwise. */
function isCapital({ name, alias }: Candidate): boolean {
  return alias === undefined && /^[A-Z][A-Z0-9_]+$/.test(name);
}
