// The licences of what the build bundles, in one file beside it: the packages are found in the modules themselves.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const FILE = 'THIRD-PARTY.txt'

function folderOf(module: string): string | undefined {
  const found = /^\0?(.*node_modules\/(?:@[^/]+\/)?[^/@]+)\//.exec(module.replaceAll('\\', '/'))
  return found?.[1]
}

function notice(folder: string): string {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one))
  if (!license) throw new Error(`${name} does not say its licence`)
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : ''
  return [`${name} ${version}: ${license}`, homepage ?? '', '', text].join('\n').trim()
}

/** Writes the file, or, with `known`, checks that it names all that this build bundles too. */
export const notices = (known?: string): Plugin => ({
  name: 'third-party-notices',
  apply: 'build',
  generateBundle() {
    const folders = [...new Set([...this.getModuleIds()].map(folderOf))].filter((one) => one !== undefined)
    const texts = folders.filter((one) => existsSync(join(one, 'package.json'))).map(notice).sort()
    if (known === undefined) {
      const head = 'Software of others that is part of these pages, each with its own licence.'
      this.emitFile({ type: 'asset', fileName: FILE, source: `${[head, ...texts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n` })
      return
    }
    const said = readFileSync(join(known, FILE), 'utf8')
    const missing = texts.filter((one) => !said.includes(one))
    if (missing.length) this.error(`${FILE} lacks ${missing.map((one) => one.split('\n')[0]).join(', ')}`)
  },
})
