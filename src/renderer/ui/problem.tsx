import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** What went wrong, which screen readers say at once; nothing without a text. */
export function Problem({
  children,
  className,
}: {
  readonly children: ReactNode;
  /** Its margin. */
  readonly className?: string;
}) {
  if (!children) return null;
  return (
    <p role="alert" className={classNames('text-crash text-sm', className)}>
      {children}
    </p>
  );
}
