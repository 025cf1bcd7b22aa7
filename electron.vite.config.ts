import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';
import { EXTERNAL, searchWorker } from './scripts/terminal-bundle.mjs';

/** The modules that the page runs first; see `main.ts`. */
const asksAhead = new Set<string>();

const findAsksAhead: Plugin = {
  name: 'find-asks-ahead',
  buildEnd() {
    const add = (id: string) => {
      if (asksAhead.has(id)) return;
      asksAhead.add(id);
      for (const imported of this.getModuleInfo(id)?.importedIds ?? []) add(imported);
    };
    for (const id of this.getModuleIds()) if (id.endsWith('/src/renderer/index.html')) add(id);
  },
};

/** The window's script and those that it imports come at once, and not only when another asks for them. */
const windowAtOnce: Plugin = {
  name: 'window-at-once',
  transformIndexHtml: {
    order: 'post',
    handler(_, { bundle }) {
      const chunks = Object.values(bundle ?? {}).flatMap(file => (file.type === 'chunk' ? [file] : []));
      const ownName = (wanted: string) => chunks.find(({ name }) => name === wanted);
      const window = ownName('window');
      const imported = window?.imports.filter(fileName => fileName !== ownName('index')?.fileName) ?? [];
      return [...(window ? [window.fileName] : []), ...imported].map(fileName => ({
        tag: 'link',
        attrs: { rel: 'modulepreload', crossorigin: true, href: `./${fileName}` },
        injectTo: 'head' as const,
      }));
    },
  },
};

/** V8 then compiles these scripts while they come, beside the page's thread, instead of function by function on it. */
const compiledAtOnce: Plugin = {
  name: 'compiled-at-once',
  // Counts as the first line only, which Vite writes late.
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && (chunk.name === 'window' || chunk.name === 'react')) {
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
    plugins: [react(), tailwind(), findAsksAhead, windowAtOnce, compiledAtOnce],
    build: {
      outDir: 'out/renderer',
      rollupOptions: {
        input: { index: 'src/renderer/index.html', window: 'src/renderer/window.tsx' },
        // What the first screen needs comes in two files, which are compiled side by side, whatever later views share with
        // them. What asks the host for its content is small, so that it runs meanwhile.
        output: {
          codeSplitting: {
            groups: [
              { name: 'index', test: id => asksAhead.has(id), priority: 1 },
              { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\//, priority: 1 },
              { name: 'window', tags: ['$initial'] },
            ],
          },
        },
      },
      // A data: address would have to be allowed for every kind of file.
      assetsInlineLimit: 0,
      minify: true,
      modulePreload: {
        polyfill: false,
        // The page itself asks for what its first script imports.
        resolveDependencies: (_, needed, { hostId }) => (/\bindex-[^/]*$/.test(hostId) ? [] : needed),
      },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 600,
    },
  },
});
