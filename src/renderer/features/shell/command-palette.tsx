import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { titleOf } from '../../../shared/overview.ts';
import { jumpTo, openStudy } from '../../app/actions.ts';
import { isAvailable, tell } from '../../app/command.ts';
import { ALL_COMMANDS } from '../../app/commands.ts';
import { type State, studyOf, useStore } from '../../app/store.ts';
import { returnFocus } from '../../ui/return-focus.ts';

type Entry = { readonly name: string; readonly keys?: string | undefined; readonly run: () => void };

/** Everything that can be done, by name. */
export function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const state = useStore();
  const groups: readonly { readonly heading: string; readonly entries: readonly Entry[] }[] = [
    {
      heading: studyOf(state)?.tag ?? '',
      entries: [...goToNumber(state, text), ...commands(state, 'study')],
    },
    { heading: 'What runs', entries: commands(state, 'running') },
    {
      heading: 'Studies',
      entries: state.studies.slice(0, 50).map(card => ({
        name: `Open ${titleOf(card)} (${card.importedFrom ?? card.repositoryPath.split('/').at(-1)})`,
        run: () => openStudy(card.id),
      })),
    },
    { heading: 'Pawl', entries: commands(state, 'app') },
  ].filter(({ entries }) => entries.length > 0);
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
                Nothing found.
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

/** What can be done now, of one kind. */
function commands(state: State, kind: 'study' | 'running' | 'app'): readonly Entry[] {
  return ALL_COMMANDS.flatMap(command => {
    const { scope, isKeyOnly, label, keys, run } = command;
    if (isKeyOnly || (scope === 'own_study' ? 'study' : scope) !== kind || !isAvailable(command, state))
      return [];
    return [{ name: tell(label, state), keys, run: () => run(useStore.getState()) }];
  });
}

function goToNumber(state: State, text: string): readonly Entry[] {
  const number = /^#?(\d+)$/.exec(text.trim())?.[1];
  const card = studyOf(state);
  if (number === undefined || !card || Number(number) >= card.cells) return [];
  return [{ name: `Go to experiment #${number}`, run: () => jumpTo(Number(number)) }];
}
