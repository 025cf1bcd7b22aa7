import { useEffect, useSyncExternalStore } from 'react';
import { useStore } from './store.ts';

const DARK = '(prefers-color-scheme: dark)';

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(DARK);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

/** Puts the wanted theme on the page and says which one it is. */
export function useTheme(): 'light' | 'dark' {
  const wanted = useStore(state => state.settings.theme);
  const isSystemDark = useSyncExternalStore(subscribe, () => window.matchMedia(DARK).matches);
  const theme = wanted === 'system' ? (isSystemDark ? 'dark' : 'light') : wanted;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
