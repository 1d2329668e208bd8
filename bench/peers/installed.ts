/** Modules of the package in this folder: their types are not there when it is not installed, so callers name the shapes they use. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { BenchNote } from '../harness.ts'

const require = createRequire(import.meta.url)

export function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return false
    throw error
  }
}

export function load(name: string): unknown {
  return require(name)
}

/** Its name and version, of this folder's packages or the project's own. */
export function versionOf(name: string): string {
  const manifest = ['node_modules', '../../node_modules'].map((folder) => new URL(`${folder}/${name}/package.json`, import.meta.url)).find((url) => existsSync(url))
  if (manifest === undefined) return `${name}, not installed`
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  return `${name} ${version}`
}

export const missingPeer = (bench: string, name: string): BenchNote => ({ bench, note: `${name} is not installed and does not take part: npm ci --prefix bench/peers`, missing: name })
