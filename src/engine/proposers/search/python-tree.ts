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
