import { type Screen, STUDY_TABS, type State, type StudyTab } from './store.ts';

/** The place that the part of the address after `#` names. */
export type Place =
  | { readonly name: 'welcome' }
  | { readonly name: 'overview' }
  | { readonly name: 'set_up'; readonly path: string }
  | {
      readonly name: 'study';
      readonly study: string;
      readonly tab: StudyTab;
      /** The experiment selected in the notebook. */
      readonly n: number | null;
    };

/** The place shown now. */
export function placeOf({ screen, study, view }: Pick<State, 'screen' | 'study' | 'view'>): Place {
  if (screen.name !== 'study') return screen;
  if (study === null) return { name: 'welcome' };
  return { name: 'study', study, tab: screen.tab, n: screen.tab === 'notebook' ? view.selected : null };
}

/** `#/study/<id>/notebook/<n>`, `#/studies`, `#/set-up/<path>` or `#/`. */
export function hashOf(place: Place): string {
  switch (place.name) {
    case 'welcome':
      return '#/';
    case 'overview':
      return '#/studies';
    case 'set_up':
      return `#/set-up/${encodeURIComponent(place.path)}`;
    case 'study': {
      const { study, tab, n } = place;
      return `#/study/${encodeURIComponent(study)}/${tab}${n === null ? '' : `/${n}`}`;
    }
    default:
      return place satisfies never;
  }
}

/** Parses such an address; null for any other. A study without a view means its notebook. */
export function readHash(hash: string): Place | null {
  const parts = hash.replace(/^#\/?/, '').replace(/\/$/, '').split('/');
  const [kind = '', id, tab = 'notebook', n] = parts.map(decode);
  if (kind === '' && parts.length === 1) return { name: 'welcome' };
  if (kind === 'studies' && parts.length === 1) return { name: 'overview' };
  if (!id) return null;
  if (kind === 'set-up' && parts.length === 2) return { name: 'set_up', path: id };
  if (kind !== 'study' || parts.length > 4 || !isTab(tab)) return null;
  if (n === undefined) return { name: 'study', study: id, tab, n: null };
  return tab === 'notebook' && /^\d{1,9}$/.test(n) ? { name: 'study', study: id, tab, n: Number(n) } : null;
}

/** The screen of a place. */
export function screenOf(place: Place): Screen {
  return place.name === 'study' ? { name: 'study', tab: place.tab } : place;
}

/** Returns nothing if it is not a validly encoded address. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

function isTab(text: string): text is StudyTab {
  return STUDY_TABS.some(tab => tab === text);
}
