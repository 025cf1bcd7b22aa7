import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { Button } from './button.tsx';
import { classNames } from './class-names.ts';

const loads: (() => Promise<unknown>)[] = [];

/**
 * A view whose code is loaded when it is first shown, or earlier by `preloadViews`; `waiting` is shown until then.
 * React's `lazy` would not do: it waits a moment even for loaded code, so that letters typed into an opening dialog
 * would go elsewhere, and it never retries after a failure.
 */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting: ReactNode = null,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  let coming: Promise<void> | null = null;
  const fetchOnce = () => {
    coming ??= load().then(
      view => {
        loaded = view;
      },
      error => {
        coming = null;
        throw error;
      },
    );
    return coming;
  };
  loads.push(fetchOnce);
  return function LazyView(props: Props) {
    const [View, setView] = useState(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      if (View || hasFailed) return;
      let isShown = true;
      fetchOnce().then(
        () => isShown && setView(() => loaded),
        () => isShown && setFailed(true),
      );
      return () => {
        isShown = false;
      };
    }, [View, hasFailed]);
    if (View) return <View {...props} />;
    // A dialog can be given up; any other view is left by going elsewhere.
    const { onClose } = props as { readonly onClose?: () => void };
    return hasFailed ? <NotLoaded onAgain={() => setFailed(false)} onClose={onClose} /> : waiting;
  };
}

/**
 * Loads the code of every view, one after the other, while the page is idle. If the browser asks to save data, views
 * load only when shown.
 */
export function preloadViews(): void {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly saveData: boolean } };
  if (connection?.saveData) return;
  const next = loads.shift();
  if (!next) return;
  requestIdleCallback(() => {
    // A failure is retried and reported when the view is shown.
    next()
      .catch(() => {})
      .finally(preloadViews);
  });
}

function NotLoaded({
  onAgain,
  onClose,
}: {
  readonly onAgain: () => void;
  readonly onClose: (() => void) | undefined;
}) {
  return (
    <div
      role="alert"
      className="m-4 flex flex-wrap items-center gap-3 rounded-lg bg-warn-soft px-4 py-2 text-warn"
    >
      <span className="min-w-0">
        This part of the window could not be loaded. If Pawl was updated meanwhile, reload the window.
      </span>
      <span className="flex gap-3">
        <Button size="small" onClick={onAgain}>
          Try again
        </Button>
        <Button size="small" onClick={() => location.reload()}>
          Reload
        </Button>
        {onClose ? (
          <Button size="small" onClick={onClose}>
            Close
          </Button>
        ) : null}
      </span>
    </div>
  );
}

/** A placeholder for what is on its way. */
export function Loading({
  children = 'Loading …',
  className = 'p-4',
}: {
  readonly children?: ReactNode;
  /** Its place in its area; by default that of a view that fills it. */
  readonly className?: string;
}) {
  return (
    <p className={classNames('text-muted text-sm', className)} role="status">
      {children}
    </p>
  );
}
