import type { Evidence } from './study.ts';

/** What an attempt was made on, where another had become the incumbent when it was measured, and what followed from it. */
export function describeLate({
  lateParent,
  incumbentExperiment,
  supersedes,
}: Pick<Evidence, 'lateParent' | 'incumbentExperiment' | 'supersedes'>): string {
  if (!lateParent) return '';
  const made = `It was made on #${lateParent.experiment}; when it was measured, #${incumbentExperiment} was the incumbent.`;
  if (!supersedes) return `${made} It was compared with that.`;
  const names = supersedes.map(n => `#${n}`).join(', ');
  return `${made} It was better, so the branch holds exactly what was measured, without the edits of ${names}.`;
}
