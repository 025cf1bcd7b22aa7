import { Save, Undo2 } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { attempt } from '../../app/actions.ts';
import { toast } from '../../app/toast.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Select } from '../../ui/select.tsx';
import { MarkdownEditor } from '../../viewers/markdown-editor.tsx';

export type Version = { readonly id: number; readonly at: number; readonly bytes: number };
export type Versioned<V extends Version> = {
  readonly text: string;
  /** Newest first; only the first counts. */
  readonly versions: readonly V[];
};

/** Asks, and hands on the answer, unless something else has been asked since. */
function useLastAnswer() {
  const asked = useRef(0);
  return <T,>(ask: () => Promise<T>, take: (answer: T) => void): void => {
    asked.current += 1;
    const own = asked.current;
    void attempt(async () => {
      const answer = await ask();
      if (own === asked.current) take(answer);
    });
  };
}

/** An editor of a text for proposers, with all its versions. A saved version applies from the next proposal on. */
export function VersionedEditor<V extends Version>({
  name,
  title,
  given,
  hint,
  describe,
  calls,
  actions,
  aside,
}: {
  /** The text's name for screen readers. */
  readonly name: string;
  /** The text's name at the start of a sentence. */
  readonly title: string;
  /** As last read. When this changes, the editor shows the change, except over unsaved text. */
  readonly given: Versioned<V>;
  /** Shown above an unchanged text. */
  readonly hint: string;
  readonly describe: (version: V) => { readonly title: string; readonly more: ReactNode };
  readonly calls: {
    readonly read: () => Promise<Versioned<V>>;
    readonly version: (id: number) => Promise<{ readonly text: string }>;
    readonly save: (text: string, base: number) => Promise<Versioned<V>>;
  };
  /** Other ways to make a new version; `run` shows the result. */
  readonly actions?: (state: {
    readonly saved: Versioned<V>;
    readonly isChanged: boolean;
    readonly run: (make: (base: number) => Promise<Versioned<V>>, done: string) => void;
  }) => ReactNode;
  /** Shown above the versions, for the visible text. */
  readonly aside?: (text: string) => ReactNode;
}) {
  const [saved, setSaved] = useState(given);
  const [text, setText] = useState(given.text);
  /** The version to compare with; null for no comparison. */
  const [against, setAgainst] = useState<{ readonly id: number; readonly text: string } | null>(null);
  /** The old version on display; null while the current text is edited. */
  const [old, setOld] = useState<{ readonly id: number; readonly text: string } | null>(null);
  const current = saved.versions[0]?.id ?? 0;
  const isChanged = text !== saved.text;

  const take = (next: Versioned<V>) => {
    setSaved(next);
    if (!isChanged) setText(next.text);
    else if (next.text !== saved.text && next.text !== text)
      toast.info('Your text is kept. The version saved meanwhile is under Versions.');
  };
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => latest.current(given), [given]);

  const run = (make: (base: number) => Promise<Versioned<V>>, done: string) =>
    void attempt(async () => {
      const next = await make(current);
      setSaved(next);
      setText(next.text);
      setOld(null);
      toast.success(done);
    });
  const save = async () => {
    if (!isChanged) return;
    await attempt(async () => {
      const next = await calls.save(text, current);
      setSaved(next);
      // The saved text may be tidier than the typed one; text typed since then stays.
      setText(now => (now === text ? next.text : now));
      toast.success(`${title} is saved. It applies from the next proposal on.`);
    });
  };
  const read = async (id: number) => ({ id, ...(await calls.version(id)) });
  const lookAt = useLastAnswer();
  const look = (id: number) => lookAt(async () => (id === current ? null : read(id)), setOld);
  const compareWith = useLastAnswer();
  const compare = (id: string) => compareWith(async () => (id === '' ? null : read(Number(id))), setAgainst);
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_16rem]">
      <section aria-label={name} className="flex min-h-0 flex-col">
        <div className="flex flex-wrap items-center gap-2 border-line border-b px-5 py-2">
          <p className="mr-auto flex-1 text-muted text-sm max-[1100px]:basis-full">
            {old ? `Version ${old.id}, as it was` : isChanged ? 'Not saved yet' : hint}
          </p>
          <Select
            aria-label={`Show changes of ${name}`}
            className="h-7 min-w-24 max-w-56 px-2 text-xs"
            value={String(against?.id ?? '')}
            options={[
              { value: '', label: 'Text only' },
              ...saved.versions.map(version => ({
                value: String(version.id),
                label: `Changes since ${describe(version).title}`,
              })),
            ]}
            onChange={compare}
          />
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
              {actions?.({ saved, isChanged, run })}
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
            key={against?.id ?? 'text'}
            before={against?.text ?? null}
            value={old?.text ?? text}
            onChange={setText}
            onSave={() => void save()}
            readOnly={old !== null}
            label={old ? `${name}, version ${old.id}` : name}
          />
        </div>
      </section>
      <div className="min-h-0 overflow-y-auto border-line border-l px-3 py-3">
        {aside?.(old?.text ?? text)}
        <aside aria-label="Versions">
          <div className="mb-2 flex items-center justify-between px-2">
            <h2 className="font-medium text-muted text-xs">Versions</h2>
            <Button
              size="small"
              kind="quiet"
              onClick={() => void attempt(async () => take(await calls.read()))}
            >
              Read again
            </Button>
          </div>
          <ol>
            {saved.versions.map(version => {
              const isShown = (old?.id ?? current) === version.id;
              const { title: heading, more } = describe(version);
              return (
                <li key={version.id}>
                  <button
                    type="button"
                    aria-current={isShown ? 'true' : undefined}
                    onClick={() => look(version.id)}
                    className={classNames(
                      'w-full rounded-md px-2 py-1.5 text-left text-sm',
                      isShown ? 'bg-accent-soft' : 'hover:bg-surface',
                    )}
                  >
                    {heading}
                    <span className="block text-muted text-xs">{more}</span>
                  </button>
                </li>
              );
            })}
          </ol>
        </aside>
      </div>
    </div>
  );
}
