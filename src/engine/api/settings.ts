import { settingsPatchSchema } from '../../shared/calls/call-inputs.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../shared/settings.ts';
import type { Ledger } from '../store/ledger.ts';

const NAME = 'settings';

/** Never rejects: a stored value that is no longer valid counts as not set. */
export function readSettings(ledger: Ledger): Settings {
  const stored = settingsPatchSchema.safeParse(ledger.settings.get(NAME));
  return stored.success ? merge(DEFAULT_SETTINGS, stored.data) : DEFAULT_SETTINGS;
}

export function saveSettings(ledger: Ledger, patch: SettingsPatch): Settings {
  return ledger.write(() => {
    const settings = merge(readSettings(ledger), patch);
    ledger.settings.set(NAME, settings);
    return settings;
  });
}

type SettingsPatch = ReturnType<typeof settingsPatchSchema.parse>;

function merge(settings: Settings, patch: SettingsPatch): Settings {
  const { notify, electricity } = patch;
  return {
    theme: patch.theme ?? settings.theme,
    order: patch.order ?? settings.order,
    diff: patch.diff ?? settings.diff,
    notify: {
      new_best: notify?.new_best ?? settings.notify.new_best,
      study_ended: notify?.study_ended ?? settings.notify.study_ended,
      crashes: notify?.crashes ?? settings.notify.crashes,
      attention: notify?.attention ?? settings.notify.attention,
    },
    electricity: {
      // Null removes the price.
      price: electricity?.price === undefined ? settings.electricity.price : electricity.price,
      currency: electricity?.currency ?? settings.electricity.currency,
    },
  };
}
