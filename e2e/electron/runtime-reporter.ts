import type { Reporter } from '@playwright/test/reporter';

/** Prints a line at the end that says whether the specs ran under Electron or its double. */
class RuntimeReporter implements Reporter {
  readonly #runtime: string | null;

  constructor(options: { readonly runtime: string | null }) {
    this.#runtime = options.runtime;
  }

  onEnd(): void {
    console.log(
      this.#runtime
        ? `e2e/electron ran under Electron: ${this.#runtime}`
        : 'e2e/electron ran under the double of Electron: no Electron runtime was found.',
    );
  }
}

// biome-ignore lint/style/noDefaultExport: Playwright loads a reporter by its default export
export default RuntimeReporter;
