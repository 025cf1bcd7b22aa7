import type { ComponentProps, ReactNode } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { MenuItem } from '../ui/menu.tsx';
import { type Command, isAvailable, tell } from './command.ts';
import { COMMANDS, type CommandId } from './commands.ts';
import { useStore } from './store.ts';

function useCommand(id: CommandId) {
  const command: Command = COMMANDS[id];
  return {
    command,
    name: useStore(state => tell(command.short ?? command.label, state)),
    isDisabled: useStore(state => !isAvailable(command, state)),
    run: () => command.run(useStore.getState()),
  };
}

/** A button that runs a command, labelled with the command's name by default. */
export function CommandButton({
  id,
  children,
  ...rest
}: { readonly id: CommandId; readonly children?: ReactNode } & Omit<
  ComponentProps<typeof Button>,
  'id' | 'onClick' | 'disabled' | 'children'
>) {
  const { command, name, isDisabled, run } = useCommand(id);
  const { icon: Icon } = command;
  return (
    <Button {...rest} disabled={isDisabled} onClick={run}>
      {Icon ? <Icon size={15} aria-hidden /> : null} {children ?? name}
    </Button>
  );
}

/** A command as an icon, with its name and key in the tooltip. */
export function CommandIconButton({
  id,
  ...rest
}: { readonly id: CommandId } & Pick<ComponentProps<typeof IconButton>, 'aria-pressed'>) {
  const { command, name, isDisabled, run } = useCommand(id);
  const { icon: Icon, keys } = command;
  return (
    <IconButton
      {...rest}
      {...(keys ? { shortcut: keys } : {})}
      label={name}
      disabled={isDisabled}
      onClick={run}
    >
      {Icon ? <Icon size={16} aria-hidden /> : null}
    </IconButton>
  );
}

/** A command in a menu. */
export function CommandItem({ id }: { readonly id: CommandId }) {
  const { command, name, isDisabled, run } = useCommand(id);
  const { icon: Icon, keys } = command;
  return (
    <MenuItem icon={Icon ? <Icon size={15} /> : null} shortcut={keys} disabled={isDisabled} onSelect={run}>
      {name}
    </MenuItem>
  );
}
