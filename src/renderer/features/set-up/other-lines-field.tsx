import { OTHER_LINES, type OtherLines } from '../../../shared/study.ts';
import { SelectField } from '../../ui/select.tsx';

const WORDS: Readonly<Record<OtherLines, string>> = {
  off: 'Always from the best so far',
  plateau: 'On a plateau, one in three from another line',
  always: 'One in three from another line',
};

/** Where proposals start. */
export function OtherLinesField({
  value,
  onChange,
}: {
  readonly value: OtherLines;
  readonly onChange: (value: OtherLines) => void;
}) {
  return (
    <SelectField
      label="Where proposals start"
      hint="Another line: an experiment that was measured and left. Models, agents and commands only."
      value={value}
      options={OTHER_LINES.map(word => ({ value: word, label: WORDS[word] }))}
      onChange={onChange}
    />
  );
}
