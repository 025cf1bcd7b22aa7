import { disarmReferences } from './disarm-references.ts';
import type { Block, Document } from './document.ts';

/** GitHub's Markdown. Pictures become words, because text that is pasted elsewhere loses the files beside it. */
export function writeMarkdown({ title, blocks }: Document): string {
  return `${[`# ${plain(title)}`, ...blocks.map(writeBlock)].join('\n\n')}\n`;
}

function writeBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `## ${plain(block.text)}`;
    case 'paragraph':
      return block.isLead ? `**${plain(block.text)}**` : plain(block.text);
    case 'list':
      return block.items.map(item => `- ${plain(item)}`).join('\n');
    case 'table':
      return writeTable(block);
    case 'picture':
      return `_${plain(block.words)}_`;
    case 'code':
      return `<details><summary>${plain(block.title)}</summary>\n\n${fence(block.text)}\n\n</details>`;
  }
}

function writeTable({ columns, rows }: Extract<Block, { kind: 'table' }>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ name }) => plain(name))),
    line(columns.map(({ isNumber }) => (isNumber ? '---:' : '---'))),
    ...rows.map(cells => line(cells.map(plain))),
  ].join('\n');
}

/** A fence longer than any in the text. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}diff\n${text.replace(/\n$/, '')}\n${ticks}`;
}

/** One line without any markup: a model's text must not become a link, a mention or HTML. */
function plain(text: string): string {
  const escaped = text
    .replaceAll(/[\r\n\t]+/g, ' ')
    .replaceAll(/[\\`*_{}[\]<>|~]/g, found => `\\${found}`)
    .replaceAll('&', '&amp;');
  return disarmReferences(escaped).replaceAll(/\b(https?|www)(:\/\/|\.)/gi, '$1\u200b$2');
}
