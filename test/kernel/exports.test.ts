/** Both kernel kinds offer the same functions; a name that one lacks would only be missed when it is first called. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'

const names = (kind: 'wasm' | 'js'): string[] => {
  const exports = openKernel(kind, reserveLinearMemory(1 << 20)).exports as unknown as Record<string, unknown>
  return Object.keys(exports).filter((name) => typeof exports[name] === 'function' && !name.startsWith('__')).sort() // the loader adds some of its own
}

it('has the same kernels in WebAssembly and in JavaScript', () => {
  expect(names('wasm')).toEqual(names('js'))
})

it('prefixes every kernel with the name of its module, since all exports share one namespace', () => {
  const folder = new URL('../../src/kernel/', import.meta.url)
  const modules = readdirSync(folder).filter((name) => name.endsWith('.ts') && readFileSync(new URL(name, folder), 'utf8').includes('Exports {')).map((name) => camelCase(name.replace('.ts', '')))
  expect(names('wasm').filter((name) => !modules.some((module) => name.startsWith(module)))).toEqual([])
})

const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
