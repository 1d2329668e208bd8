import { expect, test } from 'vitest'
import { createGroupAccumulators } from '../../../src/kernel/grouping/accumulators.ts'
import { createLimitedHeap } from '../../../src/kernel/grouping/limited-heap.ts'
import { kinds, openTestKernel } from '../both-kinds.ts'

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
