import { MoreHorizontal } from 'lucide-react';
import type { ReactElement } from 'react';
import { selectCell } from '../../app/actions.ts';
import { CommandItem } from '../../app/command-button.tsx';
import { Menu, MenuArea, MenuLine } from '../../ui/menu.tsx';

/** Commands for the selected experiment; whoever opens the menu selects it first. */
function Items() {
  return (
    <>
      <CommandItem id="tryAgain" />
      <CommandItem id="parent" />
      <CommandItem id="mark" />
      <MenuLine />
      <CommandItem id="openInEditor" />
      <CommandItem id="revealLog" />
      <CommandItem id="revealFolder" />
      <MenuLine />
      <CommandItem id="copyMarkdown" />
      <CommandItem id="copyCommit" />
    </>
  );
}

/** The menu of one experiment, opened by a button. */
export function ExperimentMenu({ n }: { readonly n: number }) {
  return (
    <Menu
      onOpen={() => selectCell(n)}
      trigger={
        <button
          type="button"
          aria-label={`More for experiment ${n}`}
          className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
        >
          <MoreHorizontal size={15} aria-hidden />
        </button>
      }
    >
      <Items />
    </Menu>
  );
}

/** The same menu for any element in `area` with a `data-cell` attribute. */
export function ExperimentMenuArea({ area }: { readonly area: ReactElement }) {
  const select = (target: Element) => {
    const n = target.closest<HTMLElement>('[data-cell]')?.dataset.cell;
    if (n !== undefined) selectCell(Number(n));
    return n !== undefined;
  };
  return (
    <MenuArea area={area} label="The experiment" onPress={select}>
      <Items />
    </MenuArea>
  );
}
