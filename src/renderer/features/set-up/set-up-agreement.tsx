import type { SetUpView } from '../../../shared/contract/set-up.ts';
import { visibleLines } from '../../../shared/visible-lines.ts';
import { Switch } from '../../ui/field.tsx';

/** Shows hidden characters, so that nothing can be invisible or change the direction of a line. */
function shown(text: string): string {
  return visibleLines(text).join('\n');
}

/** Asked once for each content: shows the set-up command word for word before it runs with all of the user's rights. */
export function SetUpAgreement({
  setUp,
  isAgreed,
  onChange,
}: {
  readonly setUp: SetUpView;
  readonly isAgreed: boolean;
  readonly onChange: (isAgreed: boolean) => void;
}) {
  return (
    <section
      aria-label="Set-up"
      className="mb-3 max-h-72 overflow-y-auto rounded-md border border-line px-3 py-2.5"
    >
      <p className="mb-1.5 text-sm">Before the first run, this runs as you, outside the sandbox:</p>
      <pre className="max-h-28 overflow-auto whitespace-pre-wrap break-words rounded bg-sunken px-2 py-1.5 font-mono text-xs">
        {shown(setUp.command)}
      </pre>
      {setUp.files.map(({ path, text, isCut }) => (
        <details key={path} className="mt-1.5 text-xs">
          <summary className="cursor-pointer break-words text-muted">
            {shown(path)}
            {isCut ? ' (beginning only)' : ''}
          </summary>
          <pre className="mt-1 max-h-60 overflow-auto whitespace-pre-wrap break-words rounded bg-sunken px-2 py-1.5 font-mono">
            {shown(text)}
          </pre>
        </details>
      ))}
      <div className="mt-2">
        <Switch
          label="I have read it, and it may run"
          hint="Your agreement covers this content; if it changes, you are asked again."
          checked={isAgreed}
          onChange={onChange}
        />
      </div>
    </section>
  );
}
