import { lstat, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** git makes a lock on a ref, writes the ref and renames the lock over it. One this old was left by a git that was killed. */
const STALE_MS = 5_000;
const POLL_MS = 50;

export type LockPatience = {
  readonly staleMs: number;
  /** Time passes between two looks at the lock. */
  pause(): Promise<void>;
};

export const LOCK_PATIENCE: LockPatience = { staleMs: STALE_MS, pause: () => delay(POLL_MS) };

/**
 * Waits until a lock file of git is gone, or another in its place. False where the same one is still there after
 * `staleMs`, unless `isOurs`: then it is removed, at once where its time says that it is older.
 */
export async function outwaitLock(path: string, isOurs: boolean, patience: LockPatience): Promise<boolean> {
  const { staleMs, pause } = patience;
  const first = await lstat(path).catch(() => null);
  const giveUpAt = performance.now() + staleMs;
  for (;;) {
    const now = await lstat(path).catch(() => null);
    if (now === null || now.ino !== first?.ino || now.mtimeMs !== first.mtimeMs) return true;
    // The two clocks may differ, of the file's system and of this one; its time is believed only where it says "old".
    const isOld = isOurs && Date.now() - now.mtimeMs >= staleMs;
    if (isOld || performance.now() >= giveUpAt) {
      // git locks with files: a folder is somebody's who knows why.
      if (!isOurs || now.isDirectory()) return false;
      await rm(path, { force: true });
      return true;
    }
    await pause();
  }
}
