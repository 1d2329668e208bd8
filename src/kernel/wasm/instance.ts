/** The one place that knows WebAssembly modules: compiles `build/lsmt-core.wasm` once a process and instantiates it over a linear memory. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { instantiateSync } from '@assemblyscript/loader'
import { LsmtError } from '../../errors.ts'
import { packageRoot } from '../../package-root.ts'
import type { KernelExports } from '../kernel.ts'
import type { LinearMemory } from '../linear-memory.ts'

const coreUrl = new URL('build/lsmt-core.wasm', packageRoot)

let compiled: WebAssembly.Module | undefined

/** Instantiates the kernels over `memory`. A module that is missing or broken is XX002 with what to do. */
export function instantiateWasmKernels(memory: LinearMemory): KernelExports {
  try {
    compiled ??= new WebAssembly.Module(readFileSync(coreUrl))
    const { instance } = instantiateSync<Record<string, unknown>>(compiled, { env: { memory: memory.wasm } })
    // Not the loader's own: they count their arguments for functions where some are optional, of which there are none here, and that takes longer than most calls.
    return instance.exports as unknown as KernelExports
  } catch (cause) {
    const path = fileURLToPath(coreUrl)
    throw new LsmtError('XX002', `cannot load the WebAssembly kernels from ${path}: ${(cause as Error).message}`, {
      file: path,
      hint: 'reinstall the package (in a checkout: npm run build), or start with --kernels js',
    }, cause)
  }
}
