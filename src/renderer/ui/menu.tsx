import { ContextMenu, DropdownMenu } from 'radix-ui';
import { type ComponentProps, createContext, type ReactElement, type ReactNode, useContext } from 'react';

const CONTENT = 'z-50 min-w-52 rounded-lg border border-line bg-surface p-1 text-sm shadow-float';

/** The kind of menu that contains an item: each has its own components. */
const InMenu = createContext<'button' | 'area'>('button');

/** A button that opens a menu. */
export function Menu({
  trigger,
  onOpen,
  children,
}: {
  readonly trigger: ReactNode;
  readonly onOpen?: () => void;
  readonly children: ReactNode;
}) {
  return (
    <DropdownMenu.Root modal={false} onOpenChange={isOpen => isOpen && onOpen?.()}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} collisionPadding={8} className={CONTENT}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/**
 * A context menu, opened by the secondary button or the menu key.
 * @param onPress returns whether there is a menu for the pressed element; otherwise the browser's own opens
 */
export function MenuArea({
  area,
  label,
  onPress,
  children,
}: {
  readonly area: ReactElement;
  readonly label: string;
  readonly onPress: (target: Element) => boolean;
  readonly children: ReactNode;
}) {
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger
        asChild
        onContextMenuCapture={event => {
          if (!(event.target instanceof Element) || !onPress(event.target)) event.stopPropagation();
        }}
      >
        {area}
      </ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content aria-label={label} collisionPadding={8} className={CONTENT}>
          <InMenu value="area">{children}</InMenu>
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}

export function MenuItem({
  icon,
  shortcut,
  children,
  ...rest
}: {
  readonly icon?: ReactNode;
  readonly shortcut?: string | undefined;
  readonly children: ReactNode;
} & Pick<ComponentProps<typeof DropdownMenu.Item>, 'onSelect' | 'disabled'>) {
  const Item = useContext(InMenu) === 'area' ? ContextMenu.Item : DropdownMenu.Item;
  return (
    <Item
      {...rest}
      className="flex cursor-pointer items-center gap-2 rounded-md px-2 py-1.5 outline-none data-[disabled]:cursor-default data-[highlighted]:bg-accent-soft data-[disabled]:text-faint"
    >
      <span className="w-4 shrink-0 text-muted" aria-hidden>
        {icon}
      </span>
      {children}
      {shortcut ? (
        <kbd aria-hidden className="ml-auto pl-4 font-mono text-muted text-xs">
          {shortcut}
        </kbd>
      ) : null}
    </Item>
  );
}

export function MenuLine() {
  const Line = useContext(InMenu) === 'area' ? ContextMenu.Separator : DropdownMenu.Separator;
  return <Line className="my-1 h-px bg-line" />;
}
