import { z } from 'zod';
import { FRESH_VIEW, type StudyView } from './store.ts';

/** How many studies' views are kept; older ones are forgotten. */
const REMEMBERED = 50;
const KEY = 'pawl.views';
const STUDY_KEY = 'pawl.study';

const range = z.tuple([z.number(), z.number()]).nullable();
const viewSchema = z.object({
  chart: z.object({ axis: z.enum(['experiment', 'time', 'kept']), x: range, y: range }),
  isChartHidden: z.boolean(),
  filter: z.object({
    verdicts: z.array(z.enum(['keep', 'discard', 'crash', 'other', 'running'])),
    category: z.string().nullable(),
    text: z.string(),
  }),
  selected: z.number().nullable(),
  opened: z.array(z.number()),
  compared: z.array(z.number()),
});
const viewsSchema = z.array(z.tuple([z.string(), viewSchema]));

function readAll(): readonly (readonly [string, StudyView])[] {
  try {
    return viewsSchema.parse(JSON.parse(localStorage.getItem(KEY) ?? '[]'));
  } catch {
    return [];
  }
}

/** How the study was looked at last, in this browser or window. */
export function restoreView(study: string): StudyView {
  return readAll().find(([id]) => id === study)?.[1] ?? FRESH_VIEW;
}

export function rememberView(study: string, view: StudyView): void {
  const others = readAll().filter(([id]) => id !== study);
  try {
    localStorage.setItem(KEY, JSON.stringify([[study, view], ...others].slice(0, REMEMBERED)));
  } catch {
    // A full or forbidden storage costs the zoom after a reload, nothing else.
  }
}

/** The study that was looked at last, or null. */
export function lastStudy(): string | null {
  try {
    return localStorage.getItem(STUDY_KEY);
  } catch {
    return null;
  }
}

export function rememberStudy(study: string): void {
  try {
    localStorage.setItem(STUDY_KEY, study);
  } catch {
    // The next start begins at the welcome screen.
  }
}
