import type { ProgressColours } from '../../shared/charts/progress-svg.ts';

export {
  type ProgressColours,
  type ProgressSvgOptions,
  progressSvg,
} from '../../shared/charts/progress-svg.ts';
export { progressCsv } from './progress-csv.ts';

/** The longest side of a canvas that every browser supports, in pixels. */
const MOST_PIXELS = 16_384;

/**
 * Draws SVG text as a PNG of `width × scale` by `height × scale` pixels. The text must not refer to other files.
 * Rejects if the browser cannot read it or has too little memory for the picture.
 */
export async function svgToPng(svg: string, width: number, height: number, scale: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  if (Math.max(canvas.width, canvas.height) > MOST_PIXELS) throw new RangeError('The picture is too large.');
  const context = canvas.getContext('2d');
  if (!context) throw new Error('There is no canvas to draw the picture on.');
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
  } finally {
    URL.revokeObjectURL(url);
  }
  return await new Promise((resolve, reject) => {
    canvas.toBlob(
      blob => (blob ? resolve(blob) : reject(new Error('The picture could not be written.'))),
      'image/png',
    );
  });
}

/** Downloads a file as `name`. */
export function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after the click; a minute is more than enough.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The page's present colours, for `progressSvg`. */
export function currentColours(): ProgressColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    surface: read('--surface'),
    ink: read('--ink'),
    muted: read('--muted'),
    line: read('--line'),
    lineStrong: read('--line-strong'),
    keep: read('--keep'),
    discard: read('--dot-discard'),
    crash: read('--crash'),
  };
}
