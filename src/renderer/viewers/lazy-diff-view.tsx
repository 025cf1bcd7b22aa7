import { Loading, lazyView } from '../ui/lazy-view.tsx';

/** `DiffView`, whose highlighter is loaded when the first diff is shown. */
export const LazyDiffView = lazyView(
  () => import('./diff-view.tsx').then(file => file.DiffView),
  <Loading>Reading …</Loading>,
);
