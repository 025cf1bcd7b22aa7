import type { ResourceUse } from '../../shared/study.ts';
import {
  listTree,
  PAGE_BYTES,
  type ProcessIdentity,
  type ProcessInfo,
  TICKS_PER_SECOND,
} from './process-table.ts';

const SAMPLE_MS = 250;

/**
 * Watches a process tree: every process ever seen in it, its peak memory, its total processor time. It samples, so if
 * a tree ends before the first sample, its numbers stay null.
 */
export class ResourceSampler {
  readonly tracked = new Map<number, ProcessIdentity>();
  readonly #root: number;
  readonly #timer: NodeJS.Timeout;
  readonly #onSample: (tree: readonly ProcessInfo[]) => Promise<void>;
  #peakRssPages = 0;
  #cpuTicks = 0;
  #samples = 0;
  #isSampling = false;

  /** @param onSample called with every sample of the tree; sampling waits for it */
  constructor(root: number, onSample: (tree: readonly ProcessInfo[]) => Promise<void> = async () => {}) {
    this.#root = root;
    this.#onSample = onSample;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  stop(): ResourceUse {
    clearInterval(this.#timer);
    return this.#samples === 0
      ? { peakRssBytes: null, cpuSeconds: null }
      : { peakRssBytes: this.#peakRssPages * PAGE_BYTES, cpuSeconds: this.#cpuTicks / TICKS_PER_SECOND };
  }

  async #sample(): Promise<void> {
    if (this.#isSampling) return;
    this.#isSampling = true;
    try {
      const tree = await listTree(this.#root);
      if (tree.length === 0) return;
      let rss = 0;
      let cpu = 0;
      for (const info of tree) {
        this.tracked.set(info.pid, info);
        rss += info.rssPages;
        cpu += info.cpuTicks;
      }
      this.#samples += 1;
      this.#peakRssPages = Math.max(this.#peakRssPages, rss);
      this.#cpuTicks = Math.max(this.#cpuTicks, cpu);
      await this.#onSample(tree);
    } finally {
      this.#isSampling = false;
    }
  }
}
