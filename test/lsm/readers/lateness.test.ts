import { expect, test } from 'vitest'
import { createLateness } from '../../../src/lsm/readers/lateness.ts'

test('readers are left out after a scan that waited for them, longer each time, until one does not wait', () => {
  let now = 1_000
  const lateness = createLateness({ monotonicMs: () => now })
  const leftOutFor = (): number => {
    const start = now
    while (lateness.areLeftOut) now += 10
    return now - start
  }
  lateness.note(0.4, 1)
  lateness.note(3, 40)
  expect(lateness.areLeftOut).toBe(false)
  const times = Array.from({ length: 7 }, () => {
    lateness.note(5, 20)
    return leftOutFor()
  })
  expect(times).toEqual([50, 100, 200, 400, 800, 1600, 2000])
  lateness.note(0.1, 20)
  lateness.note(5, 20)
  expect(leftOutFor()).toBe(50)
})
