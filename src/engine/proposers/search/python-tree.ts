import type { parser } from '@lezer/python';

export type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** Where a statement stands. */
export type Place =
  /** `isTop`: not inside an `if`, a loop or the like. */
  | { readonly kind: 'module'; readonly isTop: boolean }
  | { readonly kind: 'class'; readonly node: SyntaxNode }
  | { readonly kind: 'function' };

export function placeOf(statement: SyntaxNode): Place {
  let isTop = true;
  for (let node = statement.parent; node; node = node.parent) {
    if (node.name === 'FunctionDefinition' || node.name === 'LambdaExpression') return { kind: 'function' };
    if (node.name === 'ClassDefinition') return { kind: 'class', node };
    if (node.name !== 'Script') isTop = false;
  }
  return { kind: 'module', isTop };
}

export function nameOf(source: string, definition: SyntaxNode): string {
  const name = definition.getChild('VariableName');
  return name ? source.slice(name.from, name.to) : '';
}

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

/** An argument of a call, or a parameter of a function with its default; unpacked ones (`*more`, `**more`) are unknown. */
export type Argument = { readonly key: string | null; readonly value: SyntaxNode };

/** The arguments of a call, or the parameters of a function: those without a default have no key. */
export function argumentsOf(source: string, list: SyntaxNode): readonly Argument[] {
  const found: Argument[] = [];
  let part: SyntaxNode[] = [];
  const close = () => {
    const [first, second, third] = part;
    if (first && part.length === 1) found.push({ key: null, value: first });
    else if (first && third && part.length === 3 && second?.name === 'AssignOp') {
      found.push({ key: source.slice(first.from, first.to), value: third });
    }
    part = [];
  };
  for (const child of childrenOf(list)) {
    if (child.name === ',' || child.name === ')') close();
    else if (!/^(?:\(|Comment|TypeDef)$/.test(child.name)) part.push(child);
  }
  return found;
}

/** The content of a plain string; null for anything else. */
export function wordOf(source: string, node: SyntaxNode | undefined): string | null {
  if (node?.name !== 'String' || node.to - node.from > 200) return null;
  return /^(["'])([^"'\\]*)\1$/.exec(source.slice(node.from, node.to))?.[2] ?? null;
}
