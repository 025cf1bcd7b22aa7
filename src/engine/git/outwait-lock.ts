import { lstat, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * git creates a lock file, writes the new ref into it and renames it over the ref. A lock of this age was left by a
 * git that was killed.
 */
const STALE_MS = 5_000;
const POLL_MS = 50;

export type LockPatience = {
  readonly staleMs: number;
  /** Waits between two looks at the lock. */
  pause(): Promise<void>;
};

export const LOCK_PATIENCE: LockPatience = { staleMs: STALE_MS, pause: () => delay(POLL_MS) };

/**
 * Waits until a lock file of git is gone or replaced. If the same one is still there after `staleMs`, returns false;
 * but if `isOurs`, removes it, at once if its timestamp is old enough.
 */
export async function outwaitLock(path: string, isOurs: boolean, patience: LockPatience): Promise<boolean> {
  const { staleMs, pause } = patience;
  const first = await lstat(path).catch(() => null);
  const giveUpAt = performance.now() + staleMs;
  for (;;) {
    const now = await lstat(path).catch(() => null);
    if (now === null || now.ino !== first?.ino || now.mtimeMs !== first.mtimeMs) return true;
    // The file system's clock may differ from this machine's, so its timestamp is believed only if it says "old".
    const isOld = isOurs && Date.now() - now.mtimeMs >= staleMs;
    if (isOld || performance.now() >= giveUpAt) {
      // git's locks are files: someone made a folder on purpose.
      if (!isOurs || now.isDirectory()) return false;
      await rm(path, { force: true });
      return true;
    }
    await pause();
  }
}
