import { describe, expect, test } from 'vitest'
import { createMemoryPool, createQueryMemory, rowBytes } from '../../../../src/sql/operator/spill/query-memory.ts'

describe('memory of a query', () => {
  test('is one operator\'s alone when there is one', () => {
    const pool = createMemoryPool(1 << 20)
    const share = createQueryMemory(10_000, pool).share()
    expect([share.take(10_000), share.take(1), share.usedBytes, pool.usedBytes]).toEqual([true, false, 10_000, 10_000])
    share.give(10_000)
    expect([share.usedBytes, pool.usedBytes]).toEqual([0, 0])
  })

  test('leaves each operator its part of the half, whoever asks first', () => {
    const memory = createQueryMemory(8_000, createMemoryPool(1 << 20))
    const [greedy, late, last] = [memory.share(), memory.share(), memory.share()]
    let taken = 0
    while (greedy.take(100)) taken += 100
    expect(taken).toBeGreaterThan(5_000)
    expect([late.take(1_300), last.take(1_300), late.take(200)]).toEqual([true, true, false])
    expect(greedy.usedBytes + late.usedBytes + last.usedBytes).toBeLessThanOrEqual(8_000)
    greedy.give(taken)
    expect(late.take(4_000)).toBe(true)
  })

  test('is all given back at the end, and counted in whole steps until then', () => {
    const pool = createMemoryPool(1 << 20)
    const memory = createQueryMemory(256_000, pool)
    const share = memory.share()
    for (let i = 0; i < 100; i++) share.take(33)
    expect(pool.usedBytes).toBe(4_000)
    for (let i = 0; i < 99; i++) share.give(33)
    expect(pool.usedBytes).toBeLessThanOrEqual(2_033)
    memory.close()
    share.give(33)
    expect(pool.usedBytes).toBe(0)
  })

  test('beyond it an operator has what it needs, unless all queries together have no more', () => {
    const pool = createMemoryPool(8_000)
    const [one, other] = [createQueryMemory(4_000, pool).share(), createQueryMemory(100_000, pool).share()]
    one.need(5_000)
    expect([one.usedBytes, one.take(1)]).toEqual([5_000, false])
    // The last eighth is not for those who can do without.
    expect([other.take(1_900), other.take(500)]).toEqual([true, false])
    other.need(500)
    expect(() => other.need(1_000)).toThrow(expect.objectContaining({ code: '53200' }))
    expect(pool.usedBytes).toBeLessThanOrEqual(8_000)
  })

  test('long texts and bytes count', () => {
    expect(rowBytes(['x'.repeat(1_000)]) - rowBytes([''])).toBe(2_000)
    expect(rowBytes([new Uint8Array(1_000)]) - rowBytes([new Uint8Array(0)])).toBe(1_000)
  })
})
