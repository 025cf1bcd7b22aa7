import { CornerLeftUp, Folder as FolderIcon, GitBranch } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { openProject } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Switch, TextInput } from '../../ui/field.tsx';
import { Problem } from '../../ui/problem.tsx';

/** Folders on Pawl's machine, for hosts without a system dialog. */
export function FolderDialog({ onClose }: { readonly onClose: () => void }) {
  const [path, setPath] = useState<string | null>(null);
  /** The user's input; null while the field shows the listed folder. A late listing does not replace it. */
  const [typed, setTyped] = useState<string | null>(null);
  const [hidden, setHidden] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { value, problem, isLoading } = useCall(JSON.stringify(['browse', path, hidden]), () =>
    getClient().projects.browse({ ...(path === null ? {} : { path }), hidden }),
  );
  const open = async (chosen: string) => setRefusal(await openProject(chosen));
  const shown = typed ?? value?.path ?? path ?? '';
  const goTo = (next: string | null) => {
    setPath(next);
    setTyped(null);
  };
  const go = (event: FormEvent) => {
    event.preventDefault();
    goTo(shown);
  };
  return (
    <Dialog
      title="Choose a repository"
      description="Folders on the machine Pawl runs on. Repositories have a branch icon."
      onClose={onClose}
      isWide
    >
      <form onSubmit={go} className="mb-2 flex gap-2">
        <TextInput aria-label="Folder" value={shown} onChange={event => setTyped(event.target.value)} />
        <Button type="submit">Go</Button>
        <Button kind="primary" disabled={!value} onClick={() => value && void open(value.path)}>
          Open this folder
        </Button>
      </form>
      <Problem className="mb-2">{refusal ?? problem}</Problem>
      <ul
        className="h-72 overflow-y-auto rounded-lg border border-line"
        aria-label="Folders"
        aria-busy={isLoading}
      >
        {value?.parent ? (
          <li>
            <Entry icon={<CornerLeftUp size={15} />} name=".." onChoose={() => goTo(value.parent)} />
          </li>
        ) : null}
        {value?.entries.map(entry => (
          <li key={entry.path} className="flex items-center">
            <Entry
              icon={
                entry.isRepository ? (
                  <GitBranch size={15} className="text-accent" />
                ) : (
                  <FolderIcon size={15} />
                )
              }
              name={entry.name}
              onChoose={() => goTo(entry.path)}
            />
            {entry.isRepository ? (
              <Button
                size="small"
                className="mr-2"
                aria-label={`Open ${entry.name}`}
                onClick={() => void open(entry.path)}
              >
                Open
              </Button>
            ) : null}
          </li>
        ))}
        {value?.entries.length === 0 ? <li className="p-4 text-muted text-sm">No folders in here.</li> : null}
      </ul>
      <div className="mt-3">
        <Switch label="Show hidden folders" checked={hidden} onChange={setHidden} />
      </div>
    </Dialog>
  );
}

function Entry({
  icon,
  name,
  onChoose,
}: {
  readonly icon: React.ReactNode;
  readonly name: string;
  readonly onChoose: () => void;
}) {
  return (
    <button
      type="button"
      onClick={onChoose}
      className="flex min-w-0 flex-1 items-center gap-2 px-3 py-1.5 text-left text-sm hover:bg-sunken"
    >
      <span aria-hidden className="shrink-0 text-muted">
        {icon}
      </span>
      <span className="truncate">{name}</span>
    </button>
  );
}
