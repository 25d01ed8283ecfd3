// Builds the pages (desk, wallboard, demo, index) into router/static/, and serves them while developing.
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { notices } from './notices'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const PAGES = ['index', 'desk', 'wallboard', 'demo']
const SERVER = process.env['KCC_DEV_SERVER'] ?? 'http://127.0.0.1:8014'

/** In development `/desk` and `/static/widget.js` answer as they do at the server. */
const asTheServerDoes: Plugin = {
  name: 'as-the-server-does',
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      const [path = '/', query] = (request.url ?? '/').split('?')
      const page = path === '/' ? 'index' : path.slice(1)
      if (PAGES.includes(page)) request.url = `/static/${page}.html${query ? `?${query}` : ''}`
      if (path === '/static/widget.js') request.url = '/static/src/widget/launcher.ts'
      next()
    })
  },
}

export default defineConfig({
  root: here('.'),
  base: '/static/',
  plugins: [asTheServerDoes, notices()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../router/static'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: Object.fromEntries(PAGES.map((page) => [page, here(`./${page}.html`)])) },
  },
  server: {
    port: 5173,
    proxy: {
      '/api': SERVER,
      '/socket.io': { target: SERVER, ws: true },
    },
  },
})
