import type { Settings } from '../../shared/settings.ts';
import { attempt } from './actions.ts';
import { useStore } from './store.ts';
import { getClient } from './sync.ts';

export type SettingsPatch = {
  readonly theme?: Settings['theme'];
  readonly order?: Settings['order'];
  readonly diff?: Settings['diff'];
  readonly notify?: Partial<Settings['notify']>;
  readonly electricity?: Partial<Settings['electricity']>;
};

/** How many changes the host has not confirmed yet. */
let waiting = 0;
/** The settings that the host last confirmed. */
let saved: Settings;

/** Shows the change at once and asks the host to store it; if that fails, undoes it and shows the reason. */
export async function saveSettings(patch: SettingsPatch): Promise<void> {
  const { getState, setState } = useStore;
  if (waiting === 0) saved = getState().settings;
  waiting += 1;
  setState(({ settings }) => ({
    settings: {
      ...settings,
      ...patch,
      notify: { ...settings.notify, ...patch.notify },
      electricity: { ...settings.electricity, ...patch.electricity },
    },
  }));
  const isSaved = await attempt(async () => {
    saved = await getClient().app.saveSettings(patch);
  });
  waiting -= 1;
  if (!isSaved) setState(({ settings }) => ({ settings: takeBack(settings, patch, saved) }));
}

/** The earlier value of each setting in `patch`, unless it was changed again since. */
function takeBack<T extends object>(shown: T, patch: object, before: T): T {
  const back = { ...shown };
  for (const [name, wanted] of Object.entries(patch)) {
    const key = name as keyof T;
    const [now, then] = [shown[key], before[key]];
    if (isObject(now) && isObject(then) && isObject(wanted)) back[key] = takeBack(now, wanted, then);
    else if (now === wanted) back[key] = then;
  }
  return back;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
