import { Tooltip } from 'radix-ui';
import { type CSSProperties, useEffect } from 'react';
import { titleOf } from '../shared/overview.ts';
import { useKeys } from './app/keys.ts';
import { useStore } from './app/store.ts';
import { useTheme } from './app/use-theme.ts';
import { ConnectionNotice, Refusal } from './features/shell/connection-notice.tsx';
import { DropZone } from './features/shell/drop-zone.tsx';
import { Overlays } from './features/shell/overlays.tsx';
import { Sidebar } from './features/shell/sidebar.tsx';
import { askAboutGains } from './features/study/audit-question.ts';
import { StudyScreen } from './features/study/study-screen.tsx';
import type { Host } from './host/host.ts';
import { Loading, lazyView } from './ui/lazy-view.tsx';
import { useFocusMemory, useScreenFocus } from './ui/return-focus.ts';

const SetUpScreen = lazyView(
  () => import('./features/set-up/set-up-screen.tsx').then(file => file.SetUpScreen),
  <Loading />,
);
const OverviewScreen = lazyView(
  () => import('./features/overview/overview-screen.tsx').then(file => file.OverviewScreen),
  <Loading />,
);
const WelcomeScreen = lazyView(
  () => import('./features/welcome/welcome-screen.tsx').then(file => file.WelcomeScreen),
  <Loading />,
);
const Toaster = lazyView(() => import('sonner').then(file => file.Toaster));

/** Notices in the window's own letters and colours. */
const TOASTER_STYLE = {
  fontFamily: 'inherit',
  '--normal-bg': 'var(--surface)',
  '--normal-border': 'var(--line)',
  '--normal-text': 'var(--ink)',
} as CSSProperties;
const TOAST_OPTIONS = {
  actionButtonStyle: { background: 'var(--accent)', color: 'var(--accent-ink)', fontSize: '0.75rem' },
};

export function App({ host }: { readonly host: Host }) {
  const theme = useTheme();
  const hasSnapshot = useStore(state => state.hasSnapshot);
  const isRefused = useStore(state => state.connection.kind === 'refused');
  const screen = useStore(state => state.screen);
  const title = useStore(state => {
    const card = state.studies.find(({ id }) => id === state.study);
    return card && titleOf(card);
  });
  useKeys();
  useFocusMemory();
  useScreenFocus(`${screen.name} ${screen.name === 'set_up' ? screen.path : ''}`);
  useEffect(askAboutGains, []);
  useEffect(() => {
    document.title = screen.name === 'study' && title ? `${title} – Pawl` : 'Pawl';
  }, [screen, title]);

  return (
    <Tooltip.Provider delayDuration={400}>
      <DropZone host={host}>
        <div className="flex h-full flex-col">
          {isRefused && !hasSnapshot ? null : <ConnectionNotice host={host} />}
          {hasSnapshot ? (
            <div className="relative flex min-h-0 flex-1">
              <Sidebar />
              <main tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
                {screen.name === 'welcome' ? <WelcomeScreen /> : null}
                {screen.name === 'overview' ? <OverviewScreen /> : null}
                {screen.name === 'set_up' ? <SetUpScreen key={screen.path} path={screen.path} /> : null}
                {screen.name === 'study' ? <StudyScreen tab={screen.tab} /> : null}
              </main>
            </div>
          ) : (
            <main className="flex flex-1 items-center justify-center text-muted">
              <h1 className="sr-only">Pawl</h1>
              {isRefused ? <Refusal host={host} /> : <p role="status">Reading the ledger …</p>}
            </main>
          )}
        </div>
      </DropZone>
      <Overlays host={host} />
      <div className="notices fixed right-0 bottom-0 z-50 max-w-full">
        <Toaster
          theme={theme}
          position="bottom-right"
          closeButton
          visibleToasts={4}
          style={TOASTER_STYLE}
          toastOptions={TOAST_OPTIONS}
        />
      </div>
    </Tooltip.Provider>
  );
}
