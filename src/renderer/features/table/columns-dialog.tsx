import { ArrowDown, ArrowUp } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextInput } from '../../ui/field.tsx';
import type { Column } from './table-columns.ts';

const KINDS: Readonly<Record<Column['kind'], string>> = {
  experiment: 'Experiment',
  cost: 'What it took',
  constant: 'Constants of the editable files',
  summary: 'Printed by the training',
};

/** Which columns a table has, and in which order. */
export function ColumnsDialog({
  columns,
  shown,
  onChange,
  onClose,
}: {
  readonly columns: readonly Column[];
  readonly shown: readonly Column[];
  /** Null is the default selection. */
  readonly onChange: (ids: readonly string[] | null) => void;
  readonly onClose: () => void;
}) {
  const [words, setWords] = useState('');
  const ids = shown.map(({ id }) => id);
  const wanted = words.trim().toLowerCase();
  const isFound = ({ id, label }: Column) => `${id} ${label}`.toLowerCase().includes(wanted);
  const toggle = (id: string) =>
    onChange(ids.includes(id) ? ids.filter(other => other !== id) : [...ids, id]);
  const move = (id: string, by: 1 | -1) => {
    const place = ids.indexOf(id);
    const others = ids.filter(other => other !== id);
    onChange(others.toSpliced(Math.min(Math.max(place + by, 0), others.length), 0, id));
  };
  return (
    <Dialog
      title="Columns"
      description="They are kept for this project, with their widths, in this window. A heading can be dragged, too."
      onClose={onClose}
    >
      <div className="mb-3 flex gap-2">
        <TextInput
          type="search"
          aria-label="Find a column"
          placeholder="Find a column"
          value={words}
          onChange={event => setWords(event.target.value)}
        />
        <Button onClick={() => onChange(null)}>Usual columns</Button>
      </div>
      <Group title="Shown">
        {shown.filter(isFound).map(column => (
          <Choice key={column.id} column={column} isOn isLast={shown.length === 1} onToggle={toggle}>
            <IconButton
              label={`Move ${column.label} to the front`}
              disabled={ids[0] === column.id}
              onClick={() => move(column.id, -1)}
            >
              <ArrowUp size={14} aria-hidden />
            </IconButton>
            <IconButton
              label={`Move ${column.label} to the back`}
              disabled={ids.at(-1) === column.id}
              onClick={() => move(column.id, 1)}
            >
              <ArrowDown size={14} aria-hidden />
            </IconButton>
          </Choice>
        ))}
      </Group>
      {Object.entries(KINDS).map(([kind, title]) => {
        const own = columns.filter(column => column.kind === kind && !ids.includes(column.id));
        const found = own.filter(isFound);
        return found.length === 0 ? null : (
          <Group key={kind} title={title}>
            {found.map(column => (
              <Choice key={column.id} column={column} isOn={false} isLast={false} onToggle={toggle} />
            ))}
          </Group>
        );
      })}
    </Dialog>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  return (
    <fieldset className="mb-3">
      <legend className="mb-1 font-medium text-muted text-xs">{title}</legend>
      {children}
    </fieldset>
  );
}

function Choice({
  column: { id, label, hint },
  isOn,
  isLast,
  onToggle,
  children,
}: {
  readonly column: Column;
  readonly isOn: boolean;
  /** A table has at least one. */
  readonly isLast: boolean;
  readonly onToggle: (id: string) => void;
  readonly children?: React.ReactNode;
}) {
  return (
    <div className="flex h-8 items-center gap-1">
      <label className="flex min-w-0 flex-1 items-baseline gap-2 text-sm">
        <input
          type="checkbox"
          checked={isOn}
          disabled={isLast}
          onChange={() => onToggle(id)}
          className="size-4 shrink-0 self-center accent-accent"
        />
        <span className="shrink-0">{id === 'n' ? 'Number' : label}</span>
        <span className="truncate text-muted text-xs">{hint}</span>
      </label>
      {children}
    </div>
  );
}
