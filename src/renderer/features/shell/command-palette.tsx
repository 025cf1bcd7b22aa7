import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { memo, useMemo, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { StudyCard } from '../../../shared/notebook.ts';
import { titleOf } from '../../../shared/overview.ts';
import { jumpTo, openStudy } from '../../app/actions.ts';
import { isAvailable, tell } from '../../app/command.ts';
import { ALL_COMMANDS } from '../../app/commands.ts';
import { type State, studyOf, useStore } from '../../app/store.ts';
import { returnFocus } from '../../ui/return-focus.ts';

type Entry = {
  readonly id: string;
  readonly name: string;
  readonly keys?: string | undefined;
  readonly run: () => void;
};
type Kind = 'study' | 'running' | 'app';

const STUDIES_LISTED = 50;

/** Every available command, by name. */
export function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  return (
    // A modal dialog of Radix changes the style of everything behind it, which costs more than this whole dialog. It
    // covers the window anyway, and keeps the focus.
    <Dialog.Root open modal={false} onOpenChange={isOpen => !isOpen && onClose()}>
      <Dialog.Portal>
        <div className="fixed inset-0 z-40 bg-black/35" />
        <Dialog.Content
          aria-modal="true"
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
                Nothing found.
              </Command.Empty>
              <Entries text={text} onClose={onClose} />
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Entries({ text, onClose }: { readonly text: string; readonly onClose: () => void }) {
  const heading = useStore(state => studyOf(state)?.tag ?? '');
  const number = useStore(state => numberIn(text, state));
  const ofStudy = useCommands('study');
  const ofRun = useCommands('running');
  const ofApp = useCommands('app');
  const studies = useStudies();
  const jump = useMemo(
    () =>
      number === null ? [] : [{ id: 'jump', name: `Go to experiment #${number}`, run: () => jumpTo(number) }],
    [number],
  );
  const groups = [
    { heading, entries: [...jump, ...ofStudy] },
    { heading: 'What runs', entries: ofRun },
    { heading: 'Studies', entries: studies },
    { heading: 'Pawl', entries: ofApp },
  ].filter(({ entries }) => entries.length > 0);
  return groups.map(group => (
    <Command.Group
      key={group.heading}
      heading={group.heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:text-xs"
    >
      {group.entries.map(entry => (
        <Item key={entry.id} heading={group.heading} entry={entry} onClose={onClose} />
      ))}
    </Command.Group>
  ));
}

const Item = memo(function Item({
  heading,
  entry: { name, keys, run },
  onClose,
}: {
  readonly heading: string;
  readonly entry: Entry;
  readonly onClose: () => void;
}) {
  return (
    <Command.Item
      value={`${heading} ${name}`}
      onSelect={() => {
        onClose();
        run();
      }}
      className="flex cursor-pointer items-center justify-between rounded-md px-2.5 py-1.5 text-sm data-[selected=true]:bg-accent-soft"
    >
      {name}
      {keys ? <kbd className="font-mono text-muted text-xs">{keys}</kbd> : null}
    </Command.Item>
  );
});

/** The commands of one kind that can run now; the same list until that changes. */
function useCommands(kind: Kind): readonly Entry[] {
  // In the order of the commands; null for one that cannot run now.
  const names = useStore(
    useShallow(state =>
      COMMANDS_OF[kind].map(command => (isAvailable(command, state) ? tell(command.label, state) : null)),
    ),
  );
  return useMemo(
    () =>
      COMMANDS_OF[kind].flatMap(({ id, keys, run }, place) => {
        const name = names[place];
        return name == null ? [] : [{ id, name, keys, run: () => run(useStore.getState()) }];
      }),
    [kind, names],
  );
}

function useStudies(): readonly Entry[] {
  const ids = useStore(useShallow(({ studies }) => studies.slice(0, STUDIES_LISTED).map(({ id }) => id)));
  const names = useStore(useShallow(({ studies }) => studies.slice(0, STUDIES_LISTED).map(openingWords)));
  return useMemo(
    () => ids.map((id, place) => ({ id, name: names[place] ?? '', run: () => openStudy(id) })),
    [ids, names],
  );
}

function openingWords(card: StudyCard): string {
  return `Open ${titleOf(card)} (${card.importedFrom ?? card.repositoryPath.split('/').at(-1)})`;
}

const COMMANDS_OF: Readonly<Record<Kind, typeof ALL_COMMANDS>> = {
  study: commandsOf('study', 'own_study'),
  running: commandsOf('running'),
  app: commandsOf('app'),
};

function commandsOf(...scopes: readonly string[]): typeof ALL_COMMANDS {
  return ALL_COMMANDS.filter(({ scope, isKeyOnly }) => !isKeyOnly && scopes.includes(scope));
}

function numberIn(text: string, state: State): number | null {
  const number = /^#?(\d+)$/.exec(text.trim())?.[1];
  const card = studyOf(state);
  return number === undefined || !card || Number(number) >= card.cells ? null : Number(number);
}
