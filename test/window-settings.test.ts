import { expect, onTestFinished, test, vi } from 'vitest';
import { saveSettings } from '../src/renderer/app/settings.ts';
import { useStore } from '../src/renderer/app/store.ts';
import { keepInStep } from '../src/renderer/app/sync.ts';
import { toast } from '../src/renderer/app/toast.ts';
import type { Client, Host } from '../src/renderer/host/host.ts';
import { DEFAULT_SETTINGS, type Settings } from '../src/shared/settings.ts';

// What listens for the network's return.
vi.stubGlobal('window', new EventTarget());

/** A window whose host answers a change of settings when the test says so. */
async function openWindow() {
  const answers: ((answer: Partial<Settings> | Error) => void)[] = [];
  const never = new Promise<never>(() => {});
  const client = {
    app: {
      info: async () => ({}),
      snapshot: async () => ({ epoch: 'one', seq: 0, live: null, studies: [], settings: DEFAULT_SETTINGS }),
      events: () => never,
      saveSettings: () =>
        new Promise((resolve, reject) => {
          answers.push(answer =>
            answer instanceof Error ? reject(answer) : resolve({ ...DEFAULT_SETTINGS, ...answer }),
          );
        }),
    },
  } as unknown as Client;
  const host = { connect: async () => ({ client, closed: never }) } as unknown as Host;
  await new Promise<void>(resolve => {
    void keepInStep(host, resolve, () => {});
  });
  const shown = vi.spyOn(toast, 'error').mockImplementation(() => {});
  onTestFinished(() => {
    shown.mockRestore();
    useStore.setState(useStore.getInitialState(), true);
  });
  /** Answers the oldest change that waits, and lets the window take note. */
  const answer = async (given: Partial<Settings> | Error) => {
    answers.shift()?.(given);
    await new Promise(resolve => setImmediate(resolve));
  };
  return { answer, shown, settings: () => useStore.getState().settings };
}

const REFUSED = new Error('The disk is full.');

test('a setting that could not be saved goes back, and the reason is shown', async () => {
  const { answer, shown, settings } = await openWindow();
  void saveSettings({ theme: 'dark', notify: { crashes: false } });
  expect(settings().theme).toBe('dark');
  await answer(REFUSED);
  expect(settings()).toEqual(DEFAULT_SETTINGS);
  expect(shown).toHaveBeenCalledExactlyOnceWith('The disk is full.');
});

test('a setting that was changed twice goes back to the last one that was saved', async () => {
  const { answer, settings } = await openWindow();
  void saveSettings({ theme: 'dark' });
  void saveSettings({ theme: 'light' });
  await answer(REFUSED);
  // The second is still on its way.
  expect(settings().theme).toBe('light');
  await answer(REFUSED);
  expect(settings().theme).toBe('system');
  void saveSettings({ theme: 'dark' });
  void saveSettings({ theme: 'light' });
  await answer({ theme: 'dark' });
  await answer(REFUSED);
  expect(settings().theme).toBe('dark');
});

test('what was changed meanwhile, here or in another window, stays', async () => {
  const { answer, settings } = await openWindow();
  void saveSettings({ theme: 'dark' });
  void saveSettings({ order: 'oldest' });
  useStore.setState(state => ({ settings: { ...state.settings, theme: 'light', diff: 'split' } }));
  await answer(REFUSED);
  expect(settings()).toMatchObject({ theme: 'light', order: 'oldest', diff: 'split' });
  await answer({ order: 'oldest' });
  expect(settings()).toMatchObject({ theme: 'light', order: 'oldest', diff: 'split' });
});
