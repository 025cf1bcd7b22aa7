import type { Cell } from '../../shared/notebook.ts';
import { attempt, jumpTo } from './actions.ts';
import { type State, useStore } from './store.ts';
import { getClient } from './sync.ts';
import { toast } from './toast.ts';

/** The selected experiment, to which most commands about a single experiment apply. */
export function selectedOf({ view, notebook }: State): Cell | null {
  return view.selected === null ? null : (notebook?.cells[view.selected] ?? null);
}

/** Does something with the selected experiment of the open study, and shows any error. */
function withSelected(work: (at: { readonly study: string; readonly n: number }) => Promise<void>): void {
  const { study } = useStore.getState();
  const cell = selectedOf(useStore.getState());
  if (study && cell) void attempt(() => work({ study, n: cell.n }));
}

async function copy(text: string, done: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  toast.success(done);
}

export function copyCommit(): void {
  const commit = selectedOf(useStore.getState())?.commit;
  if (commit) void attempt(() => copy(commit, `Copied ${commit.slice(0, 12)}.`));
}

export function copyMarkdown(): void {
  withSelected(async at => {
    const { text } = await getClient().experiments.markdown(at);
    await copy(text, `Copied #${at.n} as Markdown.`);
  });
}

export function openInEditor(): void {
  withSelected(async at => {
    const { editor } = await getClient().experiments.openInEditor(at);
    toast.success(`A copy of the files of #${at.n} is open in ${editor}.`);
  });
}

/** Shows it in the file manager; if the host has none, copies its path. */
export function reveal(what: 'log' | 'folder'): void {
  withSelected(async at => {
    const { path, isShown } = await getClient().experiments.reveal({ ...at, what });
    if (!isShown) await copy(path, `Copied ${path}`);
  });
}

export function goToParent(): void {
  withSelected(async at => {
    const parent = (await getClient().experiments.get(at)).lineage.at(-1);
    if (parent) jumpTo(parent.n);
  });
}
