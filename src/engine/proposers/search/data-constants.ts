import { type Node as JsonNode, type ParseError, parseTree } from 'jsonc-parser';
import { type AST, parseTOML } from 'toml-eslint-parser';
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Node as YamlNode } from 'yaml';
import type { Candidate } from './constant.ts';
import { type Literal, parseLiteral } from './literal.ts';

/** Larger files, or files with more values, are data rather than settings. */
const MAX_CHARACTERS = 64 * 1024;
const MAX_VALUES = 200;
/** For a list that is changed as one constant. */
const MAX_ITEMS = 8;

/** Instructions to Hydra among the values: `_target_`, `_partial_`. */
const OF_HYDRA = /(?:^|\.)_[a-z]+_$/;

/** Settings of tools, not of the experiment. */
const OF_TOOLS = /(?:^|\/)(?:package|package-lock|composer|tsconfig[\w.-]*)\.json$|(?:^|\/)pyproject\.toml$/;

export function isDataFile(file: string): boolean {
  return /\.(?:jsonc?|toml|ya?ml)$/.test(file);
}

/** A value and its path, as the format's own parser found it. */
type Value = { readonly path: string; readonly start: number; readonly end: number };

/**
 * The values of a JSON, TOML or YAML file by path: `optimizer.lr`, `layers[0].width`. They are replaced in place, so
 * comments and layout stay. A file that the format's parser rejects has none.
 */
export function findDataConstants(file: string, source: string): readonly Candidate[] {
  if (source.length > MAX_CHARACTERS || OF_TOOLS.test(file)) return [];
  // In latin1, a byte order mark is three characters.
  const mark = /^(?:\uFEFF|\u00EF\u00BB\u00BF)?/.exec(source)?.[0].length ?? 0;
  const values = readValues(file, source.slice(mark));
  if (values.length > MAX_VALUES) return [];
  return values.flatMap(({ path, ...range }) => {
    if (OF_HYDRA.test(path)) return [];
    const [start, end] = [range.start + mark, range.end + mark];
    const lineEnd = source.indexOf('\n', end);
    const comment = source.slice(end, lineEnd < 0 ? source.length : lineEnd);
    const literal = parseLiteral(source.slice(start, end), comment);
    if (!literal || (literal.kind === 'tuple' && literal.items.length > MAX_ITEMS)) return [];
    return [{ name: path, literal: /\.ya?ml$/.test(file) ? asYaml(literal) : literal, start, end }];
  });
}

/** PyYAML and other readers of YAML 1.1 read `1e-05` as a string. */
function asYaml(literal: Literal): Literal {
  if (literal.kind === 'tuple') return { ...literal, items: literal.items.map(asYaml) };
  return literal.kind === 'float' ? { ...literal, needsPoint: true } : literal;
}

function readValues(file: string, text: string): readonly Value[] {
  const values: Value[] = [];
  try {
    if (/\.jsonc?$/.test(file)) readJson(text, values);
    else if (file.endsWith('.toml')) readToml(parseTOML(text), values);
    else for (const document of parseAllDocuments(text)) readYaml(document, values);
  } catch {
    // Each parser has its own errors, and deeply nested files can overflow the stack.
    return [];
  }
  return values;
}

const under = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);

function readJson(text: string, values: Value[]): void {
  const faults: ParseError[] = [];
  const root = parseTree(text, faults, { allowTrailingComma: true });
  if (root && faults.length === 0) walkJson(root, '', values);
}

function walkJson(node: JsonNode, path: string, values: Value[]): void {
  const { type, offset, length, children = [] } = node;
  const isList = type === 'array' && children.every(child => child.type === 'number');
  if (type === 'object') {
    for (const { children: pair } of children) {
      const [key, value] = pair ?? [];
      if (key && value) walkJson(value, under(path, String(key.value)), values);
    }
  } else if (type === 'array' && !isList) {
    for (const [index, child] of children.entries()) walkJson(child, `${path}[${index}]`, values);
  } else if (path !== '') values.push({ path, start: offset, end: offset + length });
}

function readToml(program: AST.TOMLProgram, values: Value[]): void {
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') walkToml(node.value, keyOf('', node.key), values);
    else {
      const table = node.resolvedKey.reduce<string>(
        (path, key) => (typeof key === 'number' ? `${path}[${key}]` : under(path, key)),
        '',
      );
      for (const { key, value } of node.body) walkToml(value, keyOf(table, key), values);
    }
  }
}

function keyOf(path: string, { keys }: AST.TOMLKey): string {
  return keys.reduce((above, key) => under(above, key.type === 'TOMLBare' ? key.name : key.value), path);
}

function walkToml(node: AST.TOMLContentNode, path: string, values: Value[]): void {
  const isList =
    node.type === 'TOMLArray' &&
    node.elements.every(
      ({ type, ...rest }) => type === 'TOMLValue' && 'kind' in rest && rest.kind !== 'string',
    );
  if (node.type === 'TOMLInlineTable') {
    for (const { key, value } of node.body) walkToml(value, keyOf(path, key), values);
  } else if (node.type === 'TOMLArray' && !isList) {
    for (const [index, element] of node.elements.entries()) walkToml(element, `${path}[${index}]`, values);
  } else values.push({ path, start: node.range[0], end: node.range[1] });
}

function readYaml(document: ReturnType<typeof parseAllDocuments>[number], values: Value[]): void {
  if ('errors' in document && document.errors.length === 0) {
    const { contents } = document as { readonly contents: YamlNode | null };
    walkYaml(contents, '', values);
  }
}

function walkYaml(node: unknown, path: string, values: Value[]): void {
  if (isAlias(node)) return;
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (isScalar(key) && typeof key.value === 'string') walkYaml(value, under(path, key.value), values);
    }
  } else if (isSeq(node)) {
    const isList =
      node.flow === true && node.items.every(item => isScalar(item) && typeof item.value === 'number');
    if (isList) push(node.range, path, values);
    else for (const [index, item] of node.items.entries()) walkYaml(item, `${path}[${index}]`, values);
  } else if (isScalar(node) && node.tag === undefined) push(node.range, path, values);
}

function push(
  range: readonly [number, number, number] | null | undefined,
  path: string,
  values: Value[],
): void {
  if (range && path !== '') values.push({ path, start: range[0], end: range[1] });
}
