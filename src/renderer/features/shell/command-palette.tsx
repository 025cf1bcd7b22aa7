import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { SAMPLE_NAMES } from '../../../shared/samples.ts';
import {
  goTo,
  openSample,
  openStudy,
  requestOf,
  revealCell,
  saveSettings,
  setApproval,
  setFilter,
  showOverlay,
} from '../../app/actions.ts';
import { isActive, useRunning, useStore, useStudy } from '../../app/store.ts';
import { returnFocus } from '../../ui/return-focus.ts';

type Entry = { readonly name: string; readonly keys?: string; readonly run: () => void };

/** Everything that can be done, by name. */
export function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const card = useStudy();
  const running = useRunning();
  const studies = useStore(state => state.studies);
  const [text, setText] = useState('');
  const number = /^#?(\d+)$/.exec(text.trim())?.[1];
  const groups: readonly { readonly heading: string; readonly entries: readonly Entry[] }[] = [
    ...(card ? [{ heading: card.tag, entries: studyEntries(card, number) }] : []),
    ...(running ? [{ heading: 'What runs', entries: runningEntries(running) }] : []),
    {
      heading: 'Studies',
      entries: studies.slice(0, 50).map(({ id, tag, repositoryPath, importedFrom }) => ({
        name: `Open ${tag} (${importedFrom ?? repositoryPath.split('/').at(-1)})`,
        run: () => openStudy(id),
      })),
    },
    { heading: 'Pawl', entries: appEntries() },
  ];
  const choose = (entry: Entry) => {
    onClose();
    entry.run();
  };
  return (
    <Dialog.Root open onOpenChange={isOpen => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/35" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={returnFocus}
          className="-translate-x-1/2 fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl overflow-hidden rounded-xl border border-line bg-surface shadow-float"
        >
          <Dialog.Title className="sr-only">Command palette</Dialog.Title>
          <Command label="Commands" loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder="What do you want to do? A number jumps to an experiment."
              className="w-full border-line border-b bg-transparent px-4 py-3 outline-none placeholder:text-faint"
            />
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5" tabIndex={-1}>
              <Command.Empty className="px-3 py-6 text-center text-muted text-sm">
                Nothing by that name.
              </Command.Empty>
              {groups.map(({ heading, entries }) => (
                <Command.Group
                  key={heading}
                  heading={heading}
                  className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:text-xs"
                >
                  {entries.map(entry => (
                    <Command.Item
                      key={entry.name}
                      value={`${heading} ${entry.name}`}
                      onSelect={() => choose(entry)}
                      className="flex cursor-pointer items-center justify-between rounded-md px-2.5 py-1.5 text-sm data-[selected=true]:bg-accent-soft"
                    >
                      {entry.name}
                      {entry.keys ? <kbd className="font-mono text-muted text-xs">{entry.keys}</kbd> : null}
                    </Command.Item>
                  ))}
                </Command.Group>
              ))}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function studyEntries(card: StudyCard, number: string | undefined): readonly Entry[] {
  const best = card.tally.bestExperiment;
  const toNotebook = (n: number, isOpened: boolean) => {
    goTo({ name: 'study', tab: 'notebook' });
    revealCell(n, isOpened);
  };
  return [
    ...(number !== undefined && Number(number) < card.cells
      ? [{ name: `Go to experiment #${number}`, run: () => toNotebook(Number(number), true) }]
      : []),
    { name: 'Notebook', keys: '1', run: () => goTo({ name: 'study', tab: 'notebook' }) },
    { name: 'Compare', keys: '3', run: () => goTo({ name: 'study', tab: 'compare' }) },
    ...(best === null ? [] : [{ name: 'Jump to the best', keys: 'b', run: () => toNotebook(best, false) }]),
    { name: 'Show only what was kept', run: () => setFilter({ verdicts: ['keep'] }) },
    { name: 'Show only crashes', run: () => setFilter({ verdicts: ['crash'] }) },
    ...(card.state === 'imported'
      ? []
      : [
          { name: 'Live view', keys: '2', run: () => goTo({ name: 'study', tab: 'live' }) },
          {
            name: 'Edit the instructions',
            keys: '4',
            run: () => goTo({ name: 'study', tab: 'instructions' }),
          },
          { name: 'How the proposers do', run: () => showOverlay({ name: 'proposers' }) },
          ...(card.waiting
            ? [{ name: 'Review the proposal', run: () => goTo({ name: 'study', tab: 'live' }) }]
            : []),
          {
            name: card.asksApproval
              ? 'Let proposals run without approval'
              : 'Approve each proposal before it runs',
            run: () => void setApproval(card, !card.asksApproval),
          },
          { name: 'Steer: a note to the proposer', keys: 's', run: () => showOverlay({ name: 'steer' }) },
          { name: 'Queue of ideas', keys: 'q', run: () => showOverlay({ name: 'queue', again: null }) },
          ...(isActive(card)
            ? []
            : [{ name: 'Resume the study', run: () => showOverlay({ name: 'resume' }) }]),
          ...(best === null
            ? []
            : [{ name: 'Apply the best to a branch', run: () => showOverlay({ name: 'apply' }) }]),
        ]),
    { name: 'Export the study', run: () => showOverlay({ name: 'export' }) },
  ];
}

function runningEntries(running: StudyCard): readonly Entry[] {
  return [
    running.state === 'paused'
      ? { name: 'Continue', run: () => void requestOf('continue') }
      : { name: 'Pause after this experiment', run: () => void requestOf('pause') },
    { name: 'Stop after this experiment', run: () => void requestOf('stop') },
    { name: 'Stop now', run: () => showOverlay({ name: 'stop_now' }) },
  ];
}

function appEntries(): readonly Entry[] {
  return [
    { name: 'Open a project', keys: 'o', run: () => goTo({ name: 'welcome' }) },
    ...SAMPLE_NAMES.map(name => ({ name: `Open the sample ${name}`, run: () => void openSample(name) })),
    { name: 'Import results from elsewhere', run: () => showOverlay({ name: 'import', source: null }) },
    { name: 'Browse folders', run: () => showOverlay({ name: 'folder' }) },
    { name: 'Light theme', run: () => saveSettings({ theme: 'light' }) },
    { name: 'Dark theme', run: () => saveSettings({ theme: 'dark' }) },
    { name: 'Theme of the system', run: () => saveSettings({ theme: 'system' }) },
    { name: 'Settings', run: () => showOverlay({ name: 'settings' }) },
    { name: 'Keyboard shortcuts', keys: '?', run: () => showOverlay({ name: 'shortcuts' }) },
  ];
}
