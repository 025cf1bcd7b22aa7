import { FolderInput } from 'lucide-react';
import { type DragEvent, type ReactNode, useState } from 'react';
import { openProject, showOverlay } from '../../app/actions.ts';
import { readDropped } from '../../app/import-source.ts';
import { toast } from '../../app/toast.ts';
import type { Host } from '../../host/host.ts';

/** A folder dropped anywhere in the window opens as a project; a file is imported as results. */
export function DropZone({ host, children }: { readonly host: Host; readonly children: ReactNode }) {
  const [isOver, setIsOver] = useState(false);
  const isFile = (event: DragEvent) => event.dataTransfer.types.includes('Files') || isText(event);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one of several ways to open a folder.
    <div
      className="relative h-full"
      onDragOver={event => {
        if (!isFile(event)) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={event => {
        if (event.relatedTarget === null) setIsOver(false);
      }}
      onDrop={event => {
        if (!isFile(event)) return;
        event.preventDefault();
        setIsOver(false);
        void drop(event, host);
      }}
    >
      {children}
      {isOver ? (
        <div className="pointer-events-none absolute inset-3 z-50 flex flex-col items-center justify-center gap-3 rounded-xl border-2 border-accent border-dashed bg-accent-soft/90 text-accent">
          <FolderInput size={40} aria-hidden />
          <p className="font-medium text-base">Drop a repository to open it, or results to import them</p>
        </div>
      ) : null}
    </div>
  );
}

/** Names of the folders that trackers write. */
const RESULTS_FOLDER = /[\\/](?:wandb|swanlog|mlruns|lightning_logs|tensorboard|tb_logs)[\\/]?$/;

function isText(event: DragEvent): boolean {
  return event.dataTransfer.types.includes('text/uri-list');
}

async function drop(event: DragEvent, host: Host): Promise<void> {
  const [file] = event.dataTransfer.files;
  // Read before any `await`, because the data is gone afterwards.
  const isFolder = event.dataTransfer.items[0]?.webkitGetAsEntry()?.isDirectory ?? file === undefined;
  const address = event.dataTransfer.getData('text/uri-list').split('\n')[0]?.trim();
  if (file && !isFolder) {
    const source = await readDropped(file, host.pathOfFile);
    if (typeof source === 'string') toast.error(source);
    else showOverlay({ name: 'import', source });
    return;
  }
  const path = (file && host.pathOfFile(file)) || (address?.startsWith('file://') ? address : null);
  if (path && RESULTS_FOLDER.test(path)) {
    showOverlay({ name: 'import', source: { path } });
    return;
  }
  if (!path) {
    // A browser does not reveal a dropped folder's path.
    toast.info("The browser does not reveal this folder's path. Choose the folder here instead.");
    showOverlay({ name: 'folder' });
    return;
  }
  const problem = await openProject(path);
  if (problem) toast.error(problem);
}
