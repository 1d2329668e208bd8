/** Modules of the package in this folder: their types are not there when it is not installed, so callers name the shapes they use. */
import { createRequire } from 'node:module'

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
