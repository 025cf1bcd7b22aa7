import { FileDown } from 'lucide-react';
import { useState } from 'react';
import type { ReportFormat } from '../../../shared/debrief/debrief.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { download } from '../../charts/progress-export.ts';
import { Button } from '../../ui/button.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';

const TYPES: Readonly<Record<ReportFormat, string>> = {
  html: 'text/html',
  md: 'text/markdown',
  json: 'application/json',
};

/** Exports the debrief: for a colleague, a pull request, a chat. */
export function ReportMenu({ card, sitting }: { readonly card: StudyCard; readonly sitting: number | null }) {
  const [isBusy, setBusy] = useState(false);
  const read = async (format: ReportFormat, hasDiffs: boolean) => {
    const { text } = await getClient().studies.report({ study: card.id, sitting, format, hasDiffs });
    return text;
  };
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    await attempt(work);
    setBusy(false);
  };
  const save = (format: ReportFormat) =>
    act(async () => {
      const text = await read(format, format === 'html');
      download(`${card.tag}-report.${format}`, new Blob([text], { type: TYPES[format] }));
    });
  const copy = () =>
    act(async () => {
      await navigator.clipboard.writeText(await read('md', false));
      toast.success('Copied as Markdown.');
    });
  return (
    <Menu
      trigger={
        <Button size="small" disabled={isBusy}>
          <FileDown size={14} aria-hidden /> Report
        </Button>
      }
    >
      <MenuItem onSelect={() => void copy()}>Copy as Markdown</MenuItem>
      <MenuItem onSelect={() => void save('html')}>Save as one HTML file, with diffs</MenuItem>
      <MenuItem onSelect={() => void save('md')}>Save as Markdown</MenuItem>
      <MenuItem onSelect={() => void save('json')}>Save as JSON</MenuItem>
    </Menu>
  );
}
