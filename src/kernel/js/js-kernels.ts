/** The JavaScript kernel set: one factory a kernel, each named as its AssemblyScript twin. */
import type { KernelExports } from '../kernel.ts'
import type { LinearMemory } from '../linear-memory.ts'
import { createBloomJs } from './bloom.ts'
import { createChecksumJs } from './checksum.ts'
import { createMergeJs } from './merge.ts'
import { createRowJs } from './row.ts'
import { createColumnJs } from './column.ts'
import { createLzJs } from './lz.ts'
import { createScanJs } from './scan.ts'
import { createValuesJs } from './values.ts'
import { createZoneMapJs } from './zone-map.ts'
import { createSkiplistJs } from './skiplist.ts'
import { createVectorJs } from './vector.ts'

const factories: readonly ((memory: LinearMemory) => Partial<KernelExports>)[] = [
  createBloomJs,
  createChecksumJs,
  createMergeJs,
  createRowJs,
  createLzJs,
  createScanJs,
  createVectorJs,
  createValuesJs,
  createZoneMapJs,
  createSkiplistJs,
  createColumnJs,
]

export function createJsKernels(memory: LinearMemory): KernelExports {
  return Object.assign({}, ...factories.map((create) => create(memory))) as KernelExports
}
