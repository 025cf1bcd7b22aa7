import type { Block, Document } from './document.ts';

/** A self-contained file: no script, nothing loaded, light or dark like the reader's system, and A4 pages when printed. */
export function writeHtml({ title, blocks }: Document): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${plain(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${plain(title)}</h1>
${blocks.map(writeBlock).join('\n')}
</main>
</body>
</html>
`;
}

function writeBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h2>${plain(block.text)}</h2>`;
    case 'paragraph':
      return `<p${block.isLead ? ' class="lead"' : ''}>${plain(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map(item => `<li>${plain(item)}</li>`).join('')}</ul>`;
    case 'table':
      return writeTable(block);
    case 'picture':
      return `<figure>${block.svg}</figure>`;
    case 'code':
      return `<details><summary>${plain(block.title)}</summary><pre>${block.text.split('\n').map(diffLine).join('\n')}</pre></details>`;
  }
}

function writeTable({ columns, rows }: Extract<Block, { kind: 'table' }>): string {
  const isHeadless = columns.every(({ name }) => name === '');
  const tagOf = (place: number) => (columns[place]?.isNumber ? ' class="number"' : '');
  const head = `<thead><tr>${columns.map(({ name }, place) => `<th scope="col"${tagOf(place)}>${plain(name)}</th>`).join('')}</tr></thead>`;
  const body = rows.map(
    cells => `<tr>${cells.map((cell, place) => `<td${tagOf(place)}>${plain(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="table"><table>${isHeadless ? '' : head}<tbody>${body.join('\n')}</tbody></table></div>`;
}

function diffLine(line: string): string {
  const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : null;
  return kind === null ? plain(line) : `<span class="${kind}">${plain(line)}</span>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function plain(text: string): string {
  return text.replaceAll(/[&<>"']/g, found => ENTITIES[found] ?? found);
}

const STYLE = `
:root { --ink: #16191d; --muted: #5b6470; --line: #dfe3e8; --surface: #fff; --soft: #f6f7f9; --keep: #0b57d0; --discard: #b3bac3; --crash: #c4561a; --good: #e7f0e6; --bad: #fbe9e7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --muted: #9aa4b0; --line: #31363d; --surface: #14171a; --soft: #1c2025; --keep: #8ab4f8; --discard: #59616b; --crash: #e8935c; --good: #17301b; --bad: #3a1d1a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--surface); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .6rem; break-after: avoid; }
p { margin: .5rem 0; }
.lead { font-size: 1.2rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
ul { margin: .5rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; }
figure svg { width: 100%; height: auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th { text-align: left; font-weight: 600; color: var(--muted); }
th, td { padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td { max-width: 26rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--keep); }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; font: 12px/1.5 ui-monospace, monospace; }
.added { background: var(--good); }
.removed { background: var(--bad); }
@page { size: A4; margin: 16mm; }
@media print {
  :root { --ink: #000; --muted: #444; --line: #ccc; --surface: #fff; --soft: #f6f6f6; --keep: #0b57d0; --discard: #b3bac3; --crash: #c4561a; --good: #e7f0e6; --bad: #fbe9e7; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .table { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: .3rem .7rem .3rem 0; }
  .number { white-space: normal; }
  tr, figure { break-inside: avoid; }
  pre { white-space: pre-wrap; }
}
`;
