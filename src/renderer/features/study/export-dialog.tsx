import { useRef, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatBytes } from '../../../shared/numbers.ts';
import { explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { download } from '../../charts/progress-export.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Problem } from '../../ui/problem.tsx';

const FORMATS = [
  { format: 'tsv', name: 'results.tsv', text: 'The five columns that other tools read.' },
  { format: 'csv', name: 'CSV', text: 'One row per experiment, with all numbers.' },
  { format: 'json', name: 'JSON', text: 'Everything, with all curves. Large for long studies.' },
] as const;

type Format = (typeof FORMATS)[number]['format'];

/** Exports a study as a file. */
export function ExportDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [progress, setProgress] = useState<{ readonly format: Format; readonly bytes: number } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const ended = useRef(new AbortController());
  const close = () => {
    ended.current.abort();
    onClose();
  };
  const save = async (format: Format) => {
    setProblem(null);
    setProgress({ format, bytes: 0 });
    const pieces: string[] = [];
    let bytes = 0;
    try {
      const { signal } = ended.current;
      for await (const piece of await getClient().studies.export({ study: card.id, format }, { signal })) {
        pieces.push(piece);
        bytes += piece.length;
        setProgress({ format, bytes });
      }
      const name = format === 'tsv' ? 'results.tsv' : `${card.tag}.${format}`;
      download(name, new Blob(pieces, { type: format === 'json' ? 'application/json' : 'text/plain' }));
    } catch (error) {
      if (!ended.current.signal.aborted) setProblem(explain(error));
    }
    setProgress(null);
  };
  return (
    <Dialog title={`Export ${card.tag}`} onClose={close}>
      <ul className="flex flex-col gap-2">
        {FORMATS.map(({ format, name, text }) => (
          <li key={format} className="flex items-center gap-4 rounded-lg border border-line px-4 py-3">
            <div className="flex-1">
              <p className="font-medium">{name}</p>
              <p className="text-muted text-sm">{text}</p>
            </div>
            <Button
              disabled={progress !== null}
              onClick={() => void save(format)}
              aria-label={`Save ${name}`}
            >
              {progress?.format === format ? `${formatBytes(progress.bytes)} …` : 'Save'}
            </Button>
          </li>
        ))}
      </ul>
      <Problem className="mt-3">{problem}</Problem>
    </Dialog>
  );
}
