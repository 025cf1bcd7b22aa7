import type { Goal } from '../contract/contract.ts';
import { formatMetric } from '../numbers.ts';
import type { Tally } from '../study.ts';
import { layoutProgress } from './progress-layout.ts';
import type { MarkColumn } from './progress-marks.ts';
import { type ProgressRow, progressModel } from './progress-model.ts';
import { progressName, progressNote } from './progress-name.ts';
import { resolveView } from './progress-presets.ts';
import type { ProgressView } from './progress-view.ts';

/** Colours as in CSS, without variables, because the file is self-contained. */
export type ProgressColours = {
  readonly surface: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly keep: string;
  readonly discard: string;
  readonly crash: string;
};

export type ProgressSvgOptions = {
  readonly title: string;
  readonly goal: Goal;
  readonly metricName: string;
  readonly tally: Tally;
  /** Ends of the noise around the best; null for none. */
  readonly band?: readonly [number, number] | null;
  readonly view: ProgressView;
  /** Number of the last sitting's first experiment, for the view that shows it. */
  readonly sittingFrom?: number | null;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly colours: ProgressColours;
};

const TITLE_HEIGHT = 34;

/** The chart as the text of an SVG file, with the title above it. */
export function progressSvg(rows: readonly ProgressRow[], options: ProgressSvgOptions): string {
  const { title, goal, metricName, tally, band = null, sittingFrom = null, width, height, colours } = options;
  const { baseline } = tally;
  const model = progressModel(rows, goal, options.view.axis, tally.bestExperiment);
  const view = resolveView(options.view, model, { sittingFrom, band });
  const layout = layoutProgress(model, view, { width, height: height - TITLE_HEIGHT }, baseline, band);
  const { plot } = layout;
  const lines: string[] = [];
  const path = (d: string, attributes: string) => {
    if (d) lines.push(`<path d="${d}" ${attributes}/>`);
  };
  const text = (x: number, y: number, attributes: string, content: string) =>
    lines.push(`<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(content)}</text>`);
  const colour = (name: keyof ProgressColours) => escapeXml(colours[name]);
  const muted = `fill="${colour('muted')}"`;

  for (const tick of layout.y.ticks) {
    path(`M${plot.left} ${round(tick.at)}H${plot.right}`, `stroke="${colour('line')}"`);
    text(plot.left - 8, tick.at + 4, `${muted} text-anchor="end"`, tick.label);
  }
  path(`M${plot.left} ${plot.bottom}H${plot.right}`, `stroke="${colour('lineStrong')}"`);
  for (const tick of layout.x.ticks) {
    path(`M${round(tick.at)} ${plot.bottom}v4`, `stroke="${colour('lineStrong')}"`);
    text(tick.at, plot.bottom + 17, `${muted} text-anchor="middle"`, tick.label);
  }
  text(8, 14, `${muted}`, `${metricName}: ${progressNote(layout, goal)}`);
  text(plot.right, plot.bottom + 34, `${muted} text-anchor="end"`, layout.xLabel);
  const marks = (columns: readonly MarkColumn[], attributes: string) =>
    path(columns.map(column => column.path).join(''), attributes);
  const dots = (cap: string, name: keyof ProgressColours, size: number) =>
    `fill="none" stroke="${colour(name)}" stroke-width="${size}" stroke-linecap="${cap}"`;
  marks(layout.dimmed, `${dots('round', 'discard', 3)} opacity="0.5"`);
  marks(layout.discards, dots(layout.discardCap, 'discard', layout.discardCap === 'round' ? 5 : 4));
  marks(layout.discardsBeyond, `fill="${colour('discard')}"`);
  marks(layout.crashes, `fill="none" stroke="${colour('crash')}" stroke-width="1.5"`);
  lines.push(
    `<clipPath id="plot"><path d="M${plot.left} ${plot.top}H${plot.right}V${plot.bottom}H${plot.left}z"/></clipPath>`,
  );
  if (layout.band) {
    const [from, to] = layout.band;
    path(
      `M${plot.left} ${round(from)}H${plot.right}V${round(to)}H${plot.left}z`,
      `fill="${colour('keep')}" opacity="0.13" clip-path="url(#plot)"`,
    );
  }
  if (layout.baselineY !== null) {
    path(
      `M${plot.left} ${round(layout.baselineY)}H${plot.right}`,
      `stroke="${colour('lineStrong')}" stroke-dasharray="5 4"`,
    );
  }
  path(layout.best, `fill="none" stroke="${colour('keep')}" stroke-width="1.75" clip-path="url(#plot)"`);
  marks(layout.keepsBeyond, `fill="${colour('keep')}"`);
  marks(layout.keeps, dots('round', 'surface', layout.keepSize + 3));
  marks(layout.keeps, dots('round', 'keep', layout.keepSize));
  marks(layout.hollow, dots('round', 'surface', layout.keepSize - 3.5));
  const halo = `stroke="${colour('surface')}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`;
  if (layout.baselineY !== null) {
    text(
      plot.right - 4,
      layout.baselineY - 5,
      `${muted} text-anchor="end" ${halo}`,
      `baseline ${formatMetric(baseline)}`,
    );
  }
  for (const label of layout.labels) {
    const weight = label.isBest ? ' font-weight="600"' : '';
    const anchor = `text-anchor="${label.anchor}"${weight} style="font-variant-numeric:normal"`;
    text(label.x, label.y, `fill="${colour('ink')}" ${anchor} ${halo}`, label.text);
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, system-ui, sans-serif" font-size="11" style="font-variant-numeric:tabular-nums">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(progressName(tally, metricName))}</desc>`,
    `<rect width="${width}" height="${height}" fill="${colour('surface')}"/>`,
    `<text x="8" y="22" fill="${colour('ink')}" font-size="14" font-weight="600">${escapeXml(title)}</text>`,
    `<g transform="translate(0 ${TITLE_HEIGHT})">`,
    ...lines,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(text: string): string {
  return (
    text
      // Characters that XML cannot express; a single one would make the whole file unreadable.
      .replaceAll(
        /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
        '�',
      )
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
