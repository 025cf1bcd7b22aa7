import { type Argument, argumentsOf, childrenOf, type SyntaxNode, wordOf } from './python-tree.ts';

/** An option of a program's command line, with the default that the file gives it. */
export type Option = {
  readonly name: string;
  readonly value: SyntaxNode;
  /** Whether the program converts the default to a number, even if it is written as a string. */
  readonly isNumber: boolean;
  readonly choices: readonly string[];
};

/** Functions whose parameters become options: Fire, tyro, typer and jsonargparse. */
const COMMAND_MAKER = /^(?:(?:fire\.)?Fire|tyro\.cli|typer\.run|(?:jsonargparse\.)?(?:CLI|auto_cli))$/;

/**
 * The option that a call defines: argparse's and click's `("--lr", type=float, default=3e-4)`, and absl's
 * `DEFINE_float("lr", 3e-4, "…")`.
 * @param path the function that is called
 */
export function readOption(source: string, path: string, given: readonly Argument[]): Option | null {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const find = (key: string) => given.find(argument => argument.key === key)?.value;
  const text = (node: SyntaxNode) => source.slice(node.from, node.to);
  const wordsIn = (list: SyntaxNode | undefined) =>
    list ? childrenOf(list).flatMap(child => wordOf(source, child) ?? []) : [];
  if (/^DEFINE_(?:float|integer|bool|boolean|enum)$/.test(name)) {
    const [first, second, third] = given.filter(({ key }) => key === null);
    const word = wordOf(source, first?.value);
    const value = find('default') ?? second?.value;
    if (word === null || !value) return null;
    const choices = name === 'DEFINE_enum' ? wordsIn(find('enum_values') ?? third?.value) : [];
    return { name: `--${word}`, value, isNumber: false, choices };
  }
  if (name !== 'add_argument' && path !== 'click.option') return null;
  const options = given.flatMap(({ key, value }) => (key === null ? (wordOf(source, value) ?? []) : []));
  const option = options.find(word => word.startsWith('--')) ?? options.find(word => word.startsWith('-'));
  const value = find('default');
  if (option === undefined || !value) return null;
  const type = find('type');
  const isNumber = type !== undefined && /^(?:float|int)$/.test(text(type));
  return { name: option, value, isNumber, choices: wordsIn(find('choices')) };
}

/** The function whose parameters a call turns into options: `main` in `fire.Fire(main)`; null if there is none. */
export function commandMadeBy(source: string, path: string, given: readonly Argument[]): string | null {
  const value = COMMAND_MAKER.test(path) ? given[0]?.value : undefined;
  return value?.name === 'VariableName' ? source.slice(value.from, value.to) : null;
}

/** Whether a decorator makes a function a command whose parameters are options, as typer's `@app.command()` does. */
export function isCommandOfTyper(source: string, definition: SyntaxNode): boolean {
  const decorated = definition.parent?.name === 'DecoratedStatement' ? childrenOf(definition.parent) : [];
  return decorated.some(
    ({ name, from, to }) => name === 'Decorator' && /^@\s*\w+\.command\(/.test(source.slice(from, to)),
  );
}

/** A default in the parameters of a command: the value itself, or the first argument of typer's `Option(…)`. */
export function defaultOfParameter(source: string, value: SyntaxNode): SyntaxNode {
  const callee = value.name === 'CallExpression' ? value.firstChild : null;
  const list = value.lastChild;
  if (!callee || !list || !/(?:^|\.)Option$/.test(source.slice(callee.from, callee.to))) return value;
  return argumentsOf(source, list)[0]?.value ?? value;
}
