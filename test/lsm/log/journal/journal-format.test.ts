/** The bytes of the journal as they must stay: a change here makes journals that exist unreadable and needs a new version. */
import { describe, expect, it } from 'vitest'
import { abortBatch } from '../../../../src/lsm/batch-builder.ts'
import { assignBaseSequence } from '../../../../src/lsm/batch.ts'
import { describeSegment } from '../../../../src/lsm/log/describe-segment.ts'
import { decodeRound, encodeRound } from '../../../../src/lsm/log/journal/round-format.ts'
import { segmentText } from '../../../../src/cli/inspect/description-text.ts'
import { createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import { batchOf, kernel } from '../log-fixture.ts'
import { openLogs } from './journal-fixture.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the format of the journal', () => {
  it('is the drawn one', () => {
    const payload = encodeRound({ round: 7, neededFrom: 5, entries: [{ shard: 3, payload: batchOf(101, 2, 5) }, { shard: 0, payload: batchOf(9, 1, 0) }] }, new Uint8Array(1024).fill(0xff))
    expect(hex(payload)).toBe([
      '60000000 01000000', '0000000000001c40', '0000000000001440', // 96 bytes, one place, round 7, rounds from 5 on are needed
      '03000000 00000000', hex(batchOf(101, 2, 5)), '000000',
      '00000000 00000000', hex(batchOf(9, 1, 0)),
    ].join('').replaceAll(' ', ''))
    expect(decodeRound(payload)).toEqual({
      kind: 'round',
      round: { round: 7, neededFrom: 5, entries: [
        { shard: 3, baseSequence: 101, lastSequence: 102, payload: batchOf(101, 2, 5) },
        { shard: 0, baseSequence: 9, lastSequence: 9, payload: batchOf(9, 1, 0) },
      ] },
    })
  })

  it('is read field by field', () => {
    const good = encodeRound({ round: 7, neededFrom: 5, entries: [{ shard: 3, payload: batchOf(101, 2, 5) }] }, new Uint8Array(1024))
    const wrong = (at: number, value: number): unknown => {
      const bytes = good.slice()
      new DataView(bytes.buffer).setUint32(at, value, true)
      return decodeRound(bytes)
    }
    for (const reading of [wrong(28, 1), wrong(32, 23), wrong(32, 1_000), wrong(44, 0xffff_ffff), wrong(20, 0x7ff0_0000), wrong(20, 0x4020_0000)]) expect(reading).toMatchObject({ kind: 'damaged' })
    expect(decodeRound(good.subarray(0, 40))).toMatchObject({ kind: 'damaged' })
    expect(decodeRound(good.subarray(0, good.length - 8))).toMatchObject({ kind: 'damaged' })
  })

  it('is described for people, round by round', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const opened = await openLogs(storage, { writerEpoch: 6 })
    const abort = (shard: number): Promise<void> => {
      const batch = abortBatch([Buffer.alloc(16, shard)])
      assignBaseSequence(batch, opened.next[shard]!)
      return opened.logs[shard]!.append(opened.next[shard]!++, batch)
    }
    while (opened.journal.counts.rounds < 1) await Promise.all([0, 1, 2, 3].map(abort))
    await Promise.all([2, 0].map(abort))
    const file = 'wal/journal/00000000000000000001.wal'
    const description = describeSegment(kernel, await storage.read(file))
    expect(description).toMatchObject({ header: { shard: 0xffff_ffff, writerEpoch: 6 }, damage: [], records: [{ baseSequence: 1, round: [{}, {}, {}, {}] }, { baseSequence: 2, durableSequence: 1, round: [{ shard: 2 }, { shard: 0 }] }] })
    const text = segmentText(file, description)
    expect(text).toContain('journal of all shards, segment 1, writer epoch 6, after round 0')
    expect(text).toContain(`round 2, durable to 1\n    shard 2, sequence ${opened.next[2]! - 1}: abort × 1`)
    await opened.close()
  })
})
