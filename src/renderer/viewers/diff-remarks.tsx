import { Trash2 } from 'lucide-react';
import { createContext, type ReactNode, useContext } from 'react';
import { type ChangeData, getChangeKey, type HunkData, type RenderGutter } from 'react-diff-view';
import type { ReviewComment } from '../../shared/review.ts';
import { TextArea } from '../ui/field.tsx';
import { ToolButton } from './tool-button.tsx';

/** Remarks on lines, and how to change them. `text` is empty for a new one. */
export type DiffRemarks = {
  readonly list: readonly ReviewComment[];
  put(remark: ReviewComment): void;
  drop(remark: ReviewComment): void;
};

/** If provided, lines of a diff can get remarks. */
export const DiffRemarksContext = createContext<DiffRemarks | null>(null);

type Place = Omit<ReviewComment, 'text'>;

const isAt = (a: Place, b: Place) => a.path === b.path && a.side === b.side && a.line === b.line;

/** The place of a line; an unchanged line is identified by its new number. */
function placeOf(path: string, change: ChangeData): Place {
  if (change.type === 'delete') return { path, side: 'old', line: change.lineNumber };
  return { path, side: 'new', line: change.type === 'insert' ? change.lineNumber : change.newLineNumber };
}

/** What a table of lines needs for remarks; nothing if remarks are not possible. */
export function useLineRemarks(
  path: string,
  hunks: readonly HunkData[],
): { readonly widgets?: Record<string, ReactNode>; readonly renderGutter?: RenderGutter } {
  const remarks = useContext(DiffRemarksContext);
  if (!remarks) return {};
  const widgets: Record<string, ReactNode> = {};
  for (const change of hunks.flatMap(hunk => hunk.changes)) {
    const place = placeOf(path, change);
    const remark = remarks.list.find(known => isAt(known, place));
    if (remark) widgets[getChangeKey(change)] = <RemarkBox remark={remark} remarks={remarks} />;
  }
  return {
    widgets,
    renderGutter: ({ change, side, renderDefault }) => {
      const place = change && placeOf(path, change);
      if (!place || place.side !== side) return renderDefault();
      return (
        <button
          type="button"
          className="diff-remark-button"
          aria-label={`Comment on ${place.side === 'old' ? 'old ' : ''}line ${place.line}`}
          onClick={() => {
            if (!remarks.list.some(known => isAt(known, place))) remarks.put({ ...place, text: '' });
          }}
        >
          {renderDefault()}
        </button>
      );
    },
  };
}

function RemarkBox({ remark, remarks }: { readonly remark: ReviewComment; readonly remarks: DiffRemarks }) {
  return (
    <div className="diff-remark flex items-start gap-2 border-line border-y bg-accent-soft px-3 py-2 font-sans">
      <TextArea
        aria-label={`Comment on ${remark.side === 'old' ? 'old ' : ''}line ${remark.line} of ${remark.path}`}
        rows={2}
        maxLength={4_000}
        // Focused, because the user has just pressed its line.
        autoFocus={remark.text === ''}
        // The browser itself shows only the line with the caret.
        onFocus={event => event.currentTarget.scrollIntoView({ block: 'nearest' })}
        placeholder="What should be different here?"
        value={remark.text}
        onChange={event => remarks.put({ ...remark, text: event.target.value })}
      />
      <ToolButton label="Remove the comment" icon={Trash2} onPress={() => remarks.drop(remark)} />
    </div>
  );
}
