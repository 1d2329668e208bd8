/** A kernel that counts what is asked of it. */
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'

const MiB = 1024 * 1024

export interface Counts {
  /** By name of the call. */
  readonly calls: Map<string, number>
  allocations: number
  /** Rows brought together one by one after a merge: elements that `mergeGather8` was asked for. */
  gathered: number
  /** Rows that `columnDecodeBytes` was asked for. */
  decodedTexts: number
}

export const noCounts = (): Counts => ({ calls: new Map(), allocations: 0, gathered: 0, decodedTexts: 0 })

export function countingKernel(counts: Counts): Kernel {
  const kernel = openTestKernel('wasm', 128 * MiB)
  // A copy: what an instance exports is not to be replaced.
  const exports = new Proxy({ ...kernel.exports }, {
    get(target, name: string) {
      const call = target[name as keyof Kernel['exports']] as (...given: readonly unknown[]) => unknown
      return (...given: readonly unknown[]) => {
        counts.calls.set(name, (counts.calls.get(name) ?? 0) + 1)
        if (name === 'mergeGather8') counts.gathered += Number(given[1])
        if (name === 'columnDecodeBytes') counts.decodedTexts += Number(given[2])
        return call(...given)
      }
    },
  })
  const { heap } = kernel
  return { ...kernel, exports, heap: { ...heap, get usedBytes() { return heap.usedBytes }, allocate(byteLength) { counts.allocations++; return heap.allocate(byteLength) } } }
}
