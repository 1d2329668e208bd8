import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

const rowsPerRun = 20_000

interface MergeInput {
  readonly records: number
  readonly keys: readonly number[]
  readonly out: number
}

/** Sorted i64 keys, spread evenly over a range so that runs interleave at random. */
function sortedKeys(seed: number): BigInt64Array {
  const random = seededRandom(seed)
  return BigInt64Array.from({ length: rowsPerRun }, () => BigInt(random.nextU32())).sort()
}

function prepareI64({ heap, memory }: Kernel, runCount: number): MergeInput {
  const keys = Array.from({ length: runCount }, (_, run) => {
    const address = heap.allocate(8 * rowsPerRun)
    memory.i64.set(sortedKeys(run + 1), address / 8)
    return address
  })
  return { records: heap.allocate(32 * runCount), keys, out: heap.allocate(8 * rowsPerRun * runCount) }
}

/** 16-byte keys that share `shared` leading bytes. */
function prepareRefs(kernel: Kernel, runCount: number, shared: number): MergeInput {
  const { heap, memory } = kernel
  const keys = Array.from({ length: runCount }, (_, run) => {
    const refs = heap.allocate(8 * rowsPerRun), text = heap.allocate(16 * rowsPerRun)
    memory.u8.fill(107, text, text + 16 * rowsPerRun)
    sortedKeys(run + 1).forEach((key, i) => {
      memory.view.setBigUint64(text + 16 * i + shared, BigInt(key))
      memory.u32[refs / 4 + 2 * i] = text + 16 * i
      memory.u32[refs / 4 + 2 * i + 1] = 16
    })
    return refs
  })
  return { records: heap.allocate(32 * runCount), keys, out: heap.allocate(8 * rowsPerRun * runCount) }
}

function mergeCase(name: string, runCount: number, prepareInput: (kernel: Kernel) => MergeInput, i64: boolean): BenchCase {
  return {
    name,
    operations: runCount * rowsPerRun,
    prepare(kernel) {
      const { memory, exports } = kernel
      const { records, keys, out } = prepareInput(kernel)
      const merge = i64 ? exports.mergeI64 : exports.mergeRefs
      let count = 0
      return {
        run() {
          keys.forEach((address, run) => memory.u32.set([address, 0, rowsPerRun, 1], records / 4 + 8 * run))
          count = merge(records, runCount, out, runCount * rowsPerRun)
        },
        answer: () => memory.buffer.subarray(out, out + 8 * count).toString('base64'),
      }
    },
  }
}

/** One key in a hundred is newer. */
function hideCase(name: string, prepareInput: (kernel: Kernel) => MergeInput, i64: boolean): BenchCase {
  return {
    name,
    operations: rowsPerRun,
    prepare(kernel) {
      const { memory, exports } = kernel
      const { records, keys: [older], out: selection } = prepareInput(kernel)
      const hide = i64 ? exports.mergeHideI64 : exports.mergeHideRefs, newerCount = rowsPerRun / 100
      const newer = kernel.heap.allocate(8 * newerCount)
      for (let i = 0; i < newerCount; i++) memory.u8.copyWithin(newer + 8 * i, older! + 800 * i, older! + 800 * i + 8)
      return {
        run() {
          exports.scanSelectAll(selection, rowsPerRun)
          memory.u32.set([newer, 0, newerCount, 1], records / 4)
          hide(records, older!, rowsPerRun, selection)
        },
        answer: () => memory.buffer.subarray(selection, selection + rowsPerRun / 8).toString('base64'),
      }
    },
  }
}

export function bench(): readonly BenchCase[] {
  return [
    mergeCase('2 runs of i64 keys', 2, (kernel) => prepareI64(kernel, 2), true),
    mergeCase('6 runs of i64 keys', 6, (kernel) => prepareI64(kernel, 6), true),
    mergeCase('2 runs of 16-byte keys', 2, (kernel) => prepareRefs(kernel, 2, 0), false),
    mergeCase('6 runs of 16-byte keys that share 8 bytes', 6, (kernel) => prepareRefs(kernel, 6, 8), false),
    hideCase('rows hidden by 1 % newer i64 keys', (kernel) => prepareI64(kernel, 1), true),
    hideCase('rows hidden by 1 % newer 16-byte keys', (kernel) => prepareRefs(kernel, 1, 0), false),
  ]
}
