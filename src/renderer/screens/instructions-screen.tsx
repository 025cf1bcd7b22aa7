import { FileX, Save, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import type { Instructions, StudyCard } from '../../shared/notebook.ts';
import { formatBytes } from '../format/numbers.ts';
import { attempt } from '../state/actions.ts';
import { getClient } from '../state/sync.ts';
import { Button } from '../ui/button.tsx';
import { classNames } from '../ui/class-names.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { useCall } from '../ui/use-call.ts';
import { MarkdownEditor } from '../viewers/markdown-editor.tsx';

/** What the proposer reads first, with everything that was ever in it. */
export function InstructionsScreen({ card }: { readonly card: StudyCard }) {
  const study = card.id;
  const { value, problem, again } = useCall(`instructions ${study}`, () =>
    getClient().instructions.read({ study }),
  );
  if (problem) {
    return (
      <EmptyState icon={<FileX size={28} />} title="The instructions cannot be read">
        <p className="mb-3">{problem}</p>
        <Button onClick={again}>Read again</Button>
      </EmptyState>
    );
  }
  if (!value) {
    return (
      <p className="p-6 text-muted" role="status">
        Reading …
      </p>
    );
  }
  if (value.path === null) {
    return (
      <EmptyState icon={<FileX size={28} />} title="This study has no instructions">
        Its contract names no file like program.md. You can still steer it with a note (s).
      </EmptyState>
    );
  }
  return <Editor study={study} instructions={value} path={value.path} />;
}

function Editor({
  study,
  instructions,
  path,
}: {
  readonly study: string;
  readonly instructions: Instructions;
  readonly path: string;
}) {
  const [saved, setSaved] = useState(instructions);
  const [text, setText] = useState(instructions.text);
  /** An old version that is looked at; null while the current text is edited. */
  const [old, setOld] = useState<{ readonly id: number; readonly text: string } | null>(null);
  const current = saved.versions[0]?.id ?? 0;
  const isChanged = text !== saved.text;
  const save = async () => {
    if (!isChanged) return;
    await attempt(async () => {
      const next = await getClient().instructions.save({ study, text, base: current });
      setSaved(next);
      toast.success(`${path} is saved. It applies from the next proposal on.`);
    });
  };
  const readAgain = () =>
    attempt(async () => {
      const next = await getClient().instructions.read({ study });
      setSaved(next);
      if (!isChanged) setText(next.text);
      else if (next.text !== saved.text)
        toast.info('Your text is kept. What was saved meanwhile is under Versions.');
    });
  const look = (id: number) =>
    id === current
      ? setOld(null)
      : void attempt(async () => setOld({ id, ...(await getClient().instructions.version({ study, id })) }));
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_16rem]">
      <section aria-label={path} className="flex min-h-0 flex-col">
        <div className="flex items-center gap-2 border-line border-b px-5 py-2">
          <p className="mr-auto text-muted text-sm">
            {old
              ? `Version ${old.id}, as it was`
              : isChanged
                ? 'Not saved yet'
                : 'Applies from the next proposal on. The file in your checkout is not touched.'}
          </p>
          {old ? (
            <>
              <Button size="small" onClick={() => setOld(null)}>
                Back to the current text
              </Button>
              <Button
                size="small"
                onClick={() => {
                  setText(old.text);
                  setOld(null);
                }}
              >
                <Undo2 size={13} aria-hidden /> Edit from this version
              </Button>
            </>
          ) : (
            <>
              <Button size="small" kind="quiet" disabled={!isChanged} onClick={() => setText(saved.text)}>
                Discard changes
              </Button>
              <Button size="small" kind="primary" disabled={!isChanged} onClick={() => void save()}>
                <Save size={13} aria-hidden /> Save
              </Button>
            </>
          )}
        </div>
        <div className="min-h-0 flex-1 overflow-hidden bg-surface">
          <MarkdownEditor
            value={old?.text ?? text}
            onChange={setText}
            onSave={() => void save()}
            readOnly={old !== null}
            label={old ? `${path}, version ${old.id}` : path}
          />
        </div>
      </section>
      <aside aria-label="Versions" className="min-h-0 overflow-y-auto border-line border-l px-3 py-3">
        <div className="mb-2 flex items-center justify-between px-2">
          <h2 className="font-medium text-muted text-xs">Versions</h2>
          <Button size="small" kind="quiet" onClick={() => void readAgain()}>
            Read again
          </Button>
        </div>
        <ol>
          {saved.versions.map(version => (
            <li key={version.id}>
              <button
                type="button"
                aria-current={(old?.id ?? current) === version.id ? 'true' : undefined}
                onClick={() => look(version.id)}
                className={classNames(
                  'w-full rounded-md px-2 py-1.5 text-left text-sm',
                  (old?.id ?? current) === version.id ? 'bg-accent-soft' : 'hover:bg-surface',
                )}
              >
                {version.id === 0 ? 'As committed' : `Version ${version.id}`}
                <span className="block text-muted text-xs">
                  <RelativeTime at={version.at} /> · {formatBytes(version.bytes)}
                </span>
              </button>
            </li>
          ))}
        </ol>
      </aside>
    </div>
  );
}
