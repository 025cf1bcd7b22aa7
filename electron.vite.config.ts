import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';
import { EXTERNAL, searchWorker } from './scripts/terminal-bundle.mjs';

/** V8 then compiles the first script while it comes, beside the page's thread, instead of function by function on it. */
const compiledAtOnce: Plugin = {
  name: 'compiled-at-once',
  // Counts as the first line only, which Vite writes late.
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && chunk.isEntry) {
          chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`;
        }
      }
    },
  },
};

/** Everything goes to out/: `main` and `preload` for the desktop, `renderer` for both hosts. */
export default defineConfig({
  main: {
    plugins: [searchWorker],
    build: {
      outDir: 'out/main',
      lib: { entry: 'src/main/main.ts', formats: ['es'] },
      // A package has only those modules beside it that cannot be bundled.
      externalizeDeps: false,
      minify: true,
      rollupOptions: { external: EXTERNAL, output: { entryFileNames: 'main.js' } },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload is one CommonJS file.
      lib: { entry: 'src/preload/preload.ts', formats: ['cjs'] },
      rollupOptions: { output: { entryFileNames: 'preload.cjs' } },
    },
  },
  renderer: {
    root: 'src/renderer',
    base: './',
    plugins: [react(), tailwind(), compiledAtOnce],
    build: {
      outDir: 'out/renderer',
      rollupOptions: {
        input: 'src/renderer/index.html',
        // What the first screen needs comes in one file, whatever later views share with it.
        output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } },
      },
      // A data: address would have to be allowed for every kind of file.
      assetsInlineLimit: 0,
      minify: true,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 600,
    },
  },
});
