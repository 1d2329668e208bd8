import { expect, test } from 'vitest'
import { createProspect } from '../../../src/lsm/readers/prospect.ts'
import type { Prospect } from '../../../src/lsm/readers/prospect.ts'

interface Reading {
  readonly rows: number
  readonly nsPerRow: number
  readonly rowsMin?: number
  readonly scanCount?: number
}

/** Rows that one thread has read when the rest turns out to be long; undefined when it never does. */
function rowsUntilLong({ rows, nsPerRow, rowsMin = 1, scanCount = 1 }: Reading): number | undefined {
  let ns = 0
  const prospect: Prospect = createProspect({ clock: { monotonicMs: () => ns / 1e6 }, rowsMin, scanCount }), step = 1_000
  prospect.begin()
  prospect.expect(rows)
  for (let done = 0; done < rows; done += step) {
    prospect.proceed(step)
    if (prospect.isLong()) return done
    ns += step * nsPerRow
  }
  return undefined
}

test('the time that the first rows took tells whether the rest is long', () => {
  expect(rowsUntilLong({ rows: 2_000_000, nsPerRow: 0.5 })).toBeUndefined()
  expect(rowsUntilLong({ rows: 2_000_000, nsPerRow: 2 })).toBe(125_000)
  expect(rowsUntilLong({ rows: 2_000_000, nsPerRow: 10 })).toBe(25_000)
  expect(rowsUntilLong({ rows: 225_000, nsPerRow: 10 })).toBe(25_000)
  expect(rowsUntilLong({ rows: 224_000, nsPerRow: 10 })).toBeUndefined()
})

test('shards that have not begun are expected to read as many rows as those that have', () => {
  expect(rowsUntilLong({ rows: 250_000, nsPerRow: 2 })).toBeUndefined()
  expect(rowsUntilLong({ rows: 250_000, nsPerRow: 2, scanCount: 8 })).toBe(125_000)
})

test('fewer rows than the least are never long, however long they take, and all are where there is no least', () => {
  expect(rowsUntilLong({ rows: 100_000, nsPerRow: 1_000, rowsMin: 100_001 })).toBeUndefined()
  expect(rowsUntilLong({ rows: 100_000, nsPerRow: 1_000, rowsMin: 100_000 })).toBe(1_000)
  expect(rowsUntilLong({ rows: 1_000, nsPerRow: 1, rowsMin: 0 })).toBe(0)
})

test('what all shards are likely to read, and what is left of it, follows from those that have begun', () => {
  const prospect = createProspect({ clock: { monotonicMs: () => 0 }, rowsMin: 1, scanCount: 4 })
  prospect.begin()
  expect(prospect.expect(1_000)).toBe(4_000)
  prospect.proceed(300)
  prospect.proceed(300)
  expect(prospect.rowsLeft(), 'the second part is not done yet').toBe(3_700)
  prospect.begin()
  expect(prospect.expect(2_000)).toBe(6_000)
})
