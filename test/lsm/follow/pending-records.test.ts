/** Which records of somebody else's log may be shown. */
import { describe, expect, test } from 'vitest'
import { decide, wholePrefix } from '../../../src/lsm/follow/pending-records.ts'
import type { PendingRecord } from '../../../src/lsm/follow/pending-records.ts'

const parts = [{ shard: 0, baseSequence: 5 }, { shard: 1, baseSequence: 9 }]

function record(shard: number, baseSequence: number, more: Partial<PendingRecord> = {}): PendingRecord {
  return { shard, baseSequence, lastSequence: baseSequence, payload: new Uint8Array(100), file: 'f', isControl: false, hasTables: false, part: undefined, aborts: [], ...more }
}

const part = (shard: number, baseSequence: number, transactionId = 't'): PendingRecord => record(shard, baseSequence, { part: { transactionId, participants: parts } })

describe('records of the log', () => {
  test('are decided up to a statement whose parts are not all there', () => {
    expect(decide([record(0, 4), part(0, 5), record(1, 8)], [3, 7]).count).toBe(1)
    expect(decide([record(0, 4), part(0, 5), record(1, 8), part(1, 9)], [3, 7]).count).toBe(4)
  })

  test('count when the other parts are visible, or in table files, already', () => {
    expect(decide([part(0, 5)], [4, 9]).count).toBe(1)
    expect(decide([part(0, 5)], [4, 8]).count).toBe(0)
  })

  test('of an aborted statement are passed over', () => {
    const { count, aborted } = decide([part(0, 5), record(0, 6), record(0, 7, { isControl: true, aborts: ['t'] })], [4, 7])
    expect([count, aborted.has('t')]).toEqual([3, true])
  })

  test('are shown in pieces that cut no statement', () => {
    const records = [record(0, 4), part(0, 5), record(1, 8), part(1, 9), record(0, 6)]
    expect(wholePrefix(records, 1)).toHaveLength(1)
    expect(wholePrefix(records.slice(1), 1)).toHaveLength(3)
    expect(wholePrefix(records, 1_000)).toHaveLength(5)
  })
})
