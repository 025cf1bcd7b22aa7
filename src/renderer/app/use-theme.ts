import { useEffect, useSyncExternalStore } from 'react';
import { useStore } from './store.ts';

const DARK = '(prefers-color-scheme: dark)';

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(DARK);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

/** Applies the wanted theme to the page and returns it. */
export function useTheme(): 'light' | 'dark' {
  const wanted = useStore(state => state.settings.theme);
  const isSystemDark = useSyncExternalStore(subscribe, () => window.matchMedia(DARK).matches);
  const theme = wanted === 'system' ? (isSystemDark ? 'dark' : 'light') : wanted;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
