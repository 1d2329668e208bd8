import { expect, test } from 'vitest'
import { createLimitedHeap } from '../../../src/kernel/grouping/limited-heap.ts'
import { createLinearHeap } from '../../../src/kernel/heap/linear-heap.ts'

test('several limited heaps share a budget, and give back what they took', () => {
  const heap = createLinearHeap(0, 1 << 20), budget = { bytesMax: 1000, usedBytes: 0 }
  const first = createLimitedHeap(heap, budget, 'sorting'), second = createLimitedHeap(heap, budget, 'sorting')
  const address = first.allocate(600)
  expect(second.tryAllocate(500)).toBe(0)
  expect(() => second.allocate(500)).toThrow(expect.objectContaining({ code: '53200', message: expect.stringContaining('sorting needs 500 bytes more') as string }))
  second.allocate(400)
  expect([first.usedBytes, second.usedBytes, budget.usedBytes]).toEqual([600, 400, 1000])
  first.free(address)
  second.allocate(500)
  second.freeAll()
  first.freeAll()
  expect([first.usedBytes, second.usedBytes, budget.usedBytes, heap.usedBytes]).toEqual([0, 0, 0, 0])
})

test('a full heap is 53200 too', () => {
  const heap = createLimitedHeap(createLinearHeap(0, 4096), { bytesMax: 1 << 20, usedBytes: 0 }, 'sorting')
  expect(() => heap.allocate(8192)).toThrow(expect.objectContaining({ code: '53200' }))
})
