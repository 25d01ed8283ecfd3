// Builds the chat widget beside the pages: widget.js (the launcher) and the chat it imports on a click.
// Its addresses are relative, because it runs on a municipality's own page.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { notices } from './notices'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: false,
  plugins: [notices(here('../router/static'))],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../router/static'),
    emptyOutDir: false,
    modulePreload: false,
    rollupOptions: {
      input: { widget: here('./src/widget/launcher.ts') },
      output: { entryFileNames: '[name].js', chunkFileNames: 'assets/[name]-[hash].js' },
    },
  },
})
