import type { ReactNode } from 'react';

/** Shown where there is nothing yet: why, and what to do. */
export function EmptyState({
  icon,
  title,
  children,
}: {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center justify-center gap-2 px-6 py-10 text-center">
      <span className="text-faint" aria-hidden>
        {icon}
      </span>
      <p className="font-medium">{title}</p>
      <div className="max-w-md text-balance text-muted text-sm">{children}</div>
    </div>
  );
}
