/** A notification of the host to the user, outside the window. */
export type Notice = {
  readonly kind: 'new_best' | 'study_ended' | 'crashes' | 'attention';
  readonly title: string;
  readonly body: string;
  readonly study: string;
  readonly n: number | null;
};

export type Settings = {
  readonly theme: 'system' | 'light' | 'dark';
  readonly order: 'newest' | 'oldest';
  readonly diff: 'unified' | 'split';
  readonly notify: Readonly<Record<Notice['kind'], boolean>>;
  readonly electricity: {
    /** The price of one kWh; null if the user gave none. */
    readonly price: number | null;
    /** As written before the amount. */
    readonly currency: string;
  };
};

export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  order: 'newest',
  diff: 'unified',
  notify: { new_best: true, study_ended: true, crashes: true, attention: true },
  electricity: { price: null, currency: '€' },
};

export type HostInfo = {
  readonly host: 'desktop' | 'browser';
  readonly version: string;
  readonly home: string;
  /** Whether the host can show the system's own folder dialog. */
  readonly canChooseFolder: boolean;
  /** Whether the host shows notifications itself; otherwise the window does. */
  readonly hasNotifications: boolean;
};
