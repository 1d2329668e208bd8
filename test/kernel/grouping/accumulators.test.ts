import { expect, test } from 'vitest'
import { createGroupAccumulators, createGroupSums } from '../../../src/kernel/grouping/accumulators.ts'
import { createLimitedHeap } from '../../../src/kernel/grouping/limited-heap.ts'
import { groupSumsBytes, narrowScratchBytes, narrowSumBytes } from '../../../src/kernel/scan.ts'
import { kinds, openTestKernel } from '../both-kinds.ts'
import { putChunk } from '../scan-columns.ts'

test.each(kinds)('%s: accumulators that could not grow stay as they are, also when asked again', (kind) => {
  const kernel = openTestKernel(kind, 1 << 20)
  const heap = createLimitedHeap(kernel.heap, { bytesMax: 20_000, usedBytes: 0 }, 'this')
  const accumulators = createGroupAccumulators({ ...kernel, heap }, 'i64')
  accumulators.ensure(10)
  const { address } = accumulators
  for (let attempt = 0; attempt < 3; attempt++) expect(() => accumulators.ensure(1000)).toThrow(expect.objectContaining({ code: '53200' }))
  accumulators.ensure(256)
  expect(accumulators.address).toBe(address)
  accumulators.close()
})

test.each(kinds)('%s: sums of decimals are seen at once, whatever their digits, and as they grow', (kind) => {
  const kernel = openTestKernel(kind), used = kernel.heap.usedBytes
  const sums = createGroupSums(kernel, 'f64', () => 0), count = 300, groups = kernel.heap.allocate(4 * count)
  const chunks = [10, 100].map((scale) => putChunk(kernel, { kind: 'f64', rows: Array.from({ length: count }, (_, row) => (row % 7) / scale) }))
  const put = kernel.heap.usedBytes
  kernel.memory.u32.fill(3, groups / 4, groups / 4 + count)
  const rowsOf = (): number => kernel.memory.f64[(sums.address + sums.stride * 3) / 8]!
  sums.ensure(256)
  let rows = 0
  for (let round = 0; round < 4; round++) {
    for (const chunk of chunks) {
      expect(sums.addChunk(groups, chunk, 0, count)).toBe(true)
      rows += count
      if (round % 2 === 0) expect(rowsOf()).toBe(rows)
    }
    sums.ensure(256 << round)
    if (round > 0) expect(sums.addChunk(groups, chunks[0]!, 0, count), 'few rows for so many groups').toBe(rows + count >= sums.capacity)
    if (round > 0 && rows + count >= sums.capacity) rows += count
  }
  expect(rowsOf()).toBe(rows)
  sums.close()
  kernel.heap.free(groups)
  for (const chunk of chunks) kernel.heap.free(chunk)
  expect(kernel.heap.usedBytes).toBeLessThan(put)
  expect(used).toBeLessThan(put)
})

test.each(kinds.flatMap((kind) => [0, 3].map((times) => [kind, times] as const)))('%s: sums without memory to spare, or with %i times what would do, are those of rows', (kind, times) => {
  const capacity = 256, bytesMax = groupSumsBytes * capacity + times * (narrowSumBytes * (capacity + 1) + narrowScratchBytes)
  const kernel = openTestKernel(kind), heap = createLimitedHeap(kernel.heap, { bytesMax, usedBytes: 0 }, 'this')
  const sums = createGroupSums({ ...kernel, heap }, 'f64', () => 0), count = 300, groups = kernel.heap.allocate(4 * count)
  kernel.memory.u32.fill(0, groups / 4, groups / 4 + count)
  const chunk = putChunk(kernel, { kind: 'f64', rows: Array.from({ length: count }, (_, row) => (row % 7) / 10) })
  sums.ensure(1)
  for (let time = 0; time < 3; time++) expect(sums.addChunk(groups, chunk, 0, count)).toBe(false)
  expect(kernel.memory.f64[sums.address / 8]).toBe(0)
  expect(heap.usedBytes).toBe(groupSumsBytes * capacity)
})
