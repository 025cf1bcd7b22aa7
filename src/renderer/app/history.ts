import { goTo, openFirstScreen, openStudy, revealCell, selectCell } from './actions.ts';
import { hashOf, type Place, placeOf, readHash, screenOf } from './address.ts';
import { hashAfterReload, keepForReload } from './browser-store.ts';
import { explain } from './explain.ts';
import { useStore } from './store.ts';
import { getClient, reconnect } from './sync.ts';
import { toast } from './toast.ts';

/**
 * The address is written once the selection has rested for this long: writing it costs a browser more than drawing
 * the cells.
 */
const SETTLE_MS = 200;
/** How long a reload may take until the page is left. */
const LEAVE_MS = 5_000;

const { getState } = useStore;
/** The last address that the window has written or followed. */
let written: Place | null = null;
let isWaiting = false;
/** The address of the selected experiment while the user moves on quickly. */
let unwritten: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** The address before the one that was written last, and when, by `performance.now()`. */
let replaced: { readonly hash: string; readonly at: number } | null = null;
/** Whether the next screen comes from the address, and so is no new step. */
let isFollowing = false;

/**
 * Opens the place in the address, and keeps window and address in sync from then on. Call once, when there is
 * something to show.
 * @param takeToken handles an address from `pawl serve` that the user enters in an open window
 */
export function openAddress(takeToken: ((address: string) => void) | null): void {
  // A reload keeps the state of its history entry.
  if (getState().screen.name === 'welcome')
    follow(hashAfterReload(location.hash), history.state?.isOwn === true);
  write();
  useStore.subscribe(writeSoon);
  window.addEventListener('pagehide', () => {
    // The browser ignores an address that is written once a reload has begun.
    settle();
    if (replaced && performance.now() - replaced.at < LEAVE_MS) keepForReload(replaced.hash, location.hash);
  });
  window.addEventListener('popstate', ({ state }) => {
    // It was the address of the entry that the user is leaving.
    unwritten = null;
    const { hash } = location;
    if (hash.startsWith('#token=')) {
      takeToken?.(hash);
      reconnect();
      isFollowing = true;
    } else follow(hash, state?.isOwn === true);
    writeSoon();
  });
}

/** Going somewhere changes the store several times, but is one step. */
function writeSoon(): void {
  if (isWaiting) return;
  isWaiting = true;
  queueMicrotask(write);
}

function write(): void {
  isWaiting = false;
  const place = placeOf(getState());
  const hash = hashOf(place);
  const isSelection = !isFollowing && written !== null && isSelectionOf(written, place);
  const isStep = !isFollowing && written !== null && !isSelection;
  isFollowing = false;
  written = place;
  if (hash === (unwritten ?? location.hash)) return;
  if (isStep) {
    settle();
    replaced = null;
    history.pushState({ isOwn: true }, '', hash);
    return;
  }
  unwritten = hash;
  clearTimeout(timer);
  if (isSelection) timer = setTimeout(settle, SETTLE_MS);
  else settle();
}

function settle(): void {
  clearTimeout(timer);
  if (unwritten === null) return;
  replaced = { hash: location.hash, at: performance.now() };
  history.replaceState({ isOwn: true }, '', unwritten);
  unwritten = null;
}

/** A user who moves through experiments does not want to go back through each one; a user who opened one does. */
function isSelectionOf(before: Place, after: Place): boolean {
  if (before.name !== 'study' || after.name !== 'study') return false;
  const isElsewhere = before.study !== after.study || before.tab !== after.tab;
  return !isElsewhere && (after.n === null || !getState().view.opened.includes(after.n));
}

/** @param isReturn whether the window was at this place before; it then does not reopen what was closed since */
function follow(hash: string, isReturn: boolean): void {
  isFollowing = true;
  if (hash === '') {
    openFirstScreen();
    return;
  }
  const place = readHash(hash);
  const problem = place ? open(place, isReturn) : `Nothing in Pawl has the address ${hash}.`;
  if (problem !== null) fallBack(problem);
}

/** Resolves to what is missing, if anything. */
function open(place: Place, isReturn: boolean): string | null {
  if (place.name === 'welcome') goTo(place);
  if (place.name === 'set_up') {
    goTo(screenOf(place));
    void check(place.path);
  }
  if (place.name !== 'study') return null;
  const card = getState().studies.find(({ id }) => id === place.study);
  if (!card) return 'The study of this address is not in the ledger.';
  const { n, tab } = place;
  openStudy(card.id, tab);
  if (tab !== 'notebook') return null;
  if (n === null) selectCell(null);
  else if (n < card.cells) revealCell(n, !isReturn || getState().view.opened.includes(n));
  else toast.error(`${card.tag} has no experiment #${n}.`);
  return null;
}

/** A project may have been moved since the address was written. */
async function check(path: string): Promise<void> {
  try {
    await getClient().projects.inspect({ path });
  } catch (error) {
    const { screen } = getState();
    if (screen.name === 'set_up' && screen.path === path) fallBack(explain(error));
  }
}

function fallBack(problem: string): void {
  toast.error(problem);
  isFollowing = true;
  goTo({ name: 'welcome' });
  openFirstScreen();
}
