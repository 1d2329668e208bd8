import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { assignBaseSequence, assignParticipants, batchPieces, decodeLayout, operation, readBatchHeader, readOperations, viewOf } from '../../src/lsm/batch.ts'
import { abortBatch, createBatchBuilder, tableKey } from '../../src/lsm/batch-builder.ts'
import type { TableLayout } from '../../src/lsm/layout.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
const texts = (batch: Uint8Array): unknown[] => [...readOperations(batch)].map(({ kind, key, value }) => [kind, Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1')])

describe('write batches', () => {
  it('hold their operations in order, in bytes of their own', () => {
    const builder = createBatchBuilder()
    builder.put(1, bytes('key'), bytes('row'))
    builder.delete(2, bytes('k'))
    builder.rangeDelete(3, bytes('a'), bytes('b'))
    builder.rangeDelete(3, undefined, undefined)
    builder.dropTable(4)
    const batch = builder.finish()
    assignBaseSequence(batch, 2 ** 53 - 10)
    expect(texts(batch)).toEqual([[1, '\0\0\0\x01key', 'row'], [2, '\0\0\0\x02k', ''], [3, '\0\0\0\x03a', '\0\0\0\x03b'], [3, '\0\0\0\x03', '\0\0\0\x04'], [5, '\0\0\0\x04', '']])
    expect(readBatchHeader(batch)).toEqual({ byteLength: batch.length, operationCount: 5, baseSequence: 2 ** 53 - 10, headerBytes: 24, isControl: false, hasTables: true, participants: undefined })
    expect(builder.operationCount).toBe(0)
    builder.put(9, bytes('other'), bytes('row'))
    expect(texts(batch)[0], 'a finished batch is not written to again').toEqual([1, '\0\0\0\x01key', 'row'])
  })

  it('are cut into pieces that hold the same operations, under the same sequence numbers', () => {
    const random = seededRandom(4)
    for (let round = 0; round < 500; round++) {
      const builder = createBatchBuilder()
      const count = 1 + random.below(20)
      for (let i = 0; i < count; i++) builder.put(1, bytes('k'.repeat(random.below(60))), bytes('v'.repeat(random.below(60))))
      const batch = builder.finish(random.below(3))
      assignBaseSequence(batch, 1000)
      const bytesMax = 64 + random.below(200)
      const found: unknown[] = []
      for (const piece of batchPieces(batch, bytesMax)) {
        const { baseSequence, operationCount, isControl, hasTables, participants } = readBatchHeader(piece)
        expect({ baseSequence, isControl, hasTables, participants }, `round ${round}`).toEqual({ baseSequence: 1000 + found.length, isControl: false, hasTables: false, participants: undefined })
        expect(piece.length <= bytesMax || operationCount === 1).toBe(true)
        found.push(...texts(piece))
      }
      expect(found, `round ${round}`).toEqual(texts(batch))
    }
  })

  it('give back their last operation, whether it has ended or not', () => {
    const builder = createBatchBuilder(64)
    builder.put(1, bytes('stays'), bytes('row'))
    const from = builder.byteLength
    builder.put(2, bytes('goes'), bytes('x'.repeat(100)))
    expect(texts(builder.takeBack(from)!)).toEqual([[1, '\0\0\0\x02goes', 'x'.repeat(100)]])
    builder.beginPut(3)
    expect(builder.takeBack(from)).toBeUndefined()
    expect(builder.takeBack(from), 'nothing stands behind it').toBeUndefined()
    builder.delete(4, bytes('k'))
    expect(texts(builder.finish())).toEqual([[1, '\0\0\0\x01stays', 'row'], [2, '\0\0\0\x04k', '']])
  })

  it('start every operation at a multiple of 4 and end there', () => {
    const builder = createBatchBuilder(64)
    for (let i = 0; i < 50; i++) builder.put(1, new Uint8Array(i), new Uint8Array((i * 7) % 5).fill(255))
    const batch = builder.finish()
    expect(batch.length % 4).toBe(0)
    for (const { key } of readOperations(batch)) expect((key.byteOffset - batch.byteOffset) % 4).toBe(0)
  })

  it('take keys and rows written in place, while the buffer grows', () => {
    const builder = createBatchBuilder(64)
    const random = seededRandom(3)
    const expected: unknown[] = []
    for (let i = 0; i < 200; i++) {
      const key = 'k'.repeat(random.below(40)), row = 'r'.repeat(random.below(300))
      let at = builder.beginPut(7)
      builder.reserve(key.length)
      at = builder.endKey(at + builder.buffer.write(key, at, 'latin1'))
      builder.reserve(row.length)
      builder.endOperation(at + builder.buffer.write(row, at, 'latin1'))
      expected.push([1, `\0\0\0\x07${key}`, row])
    }
    expect(texts(builder.finish())).toEqual(expected)
  })

  it('carry participants in room that was kept for them', () => {
    const builder = createBatchBuilder()
    builder.put(1, bytes('k'), bytes('v'))
    const batch = builder.finish(2)
    const participants = { transactionId: new Uint8Array(16).fill(9), parts: [{ shard: 0, baseSequence: 17 }, { shard: 5, baseSequence: 2 ** 40 }] }
    assignParticipants(batch, participants)
    expect(readBatchHeader(batch).participants).toEqual(participants)
    expect(texts(batch)).toEqual([[1, '\0\0\0\x01k', 'v']])
  })

  it('carry layouts, and refuse others', () => {
    const layout: TableLayout = { tableId: 300, columns: ['i64', 'bytes', 'f64'], key: [1, 0] }
    const builder = createBatchBuilder()
    builder.defineTable(layout)
    const [define] = [...readOperations(builder.finish())]
    expect(define!.kind).toBe(operation.defineTable)
    expect(decodeLayout(define!)).toEqual(layout)
    const withMissing: TableLayout = { ...layout, missing: [{ ordinal: 0, value: -(2n ** 63n) }, { ordinal: 1, value: bytes('x') }, { ordinal: 2, value: 0.1 }] }
    builder.defineTable(withMissing)
    const [longer] = [...readOperations(builder.finish())]
    expect(decodeLayout(longer!)).toEqual(withMissing)
    for (const [at, word] of [[28, 9], [32, 7], [44, 0], [48, 400]] as const) {
      const value = longer!.value.slice()
      viewOf(value).setUint32(at, word, true)
      expect(() => decodeLayout({ ...longer!, value }), `word ${at}`).toThrow(/corrupt table definition/)
    }
    for (const [at, word] of [[0, 4], [8, 9], [20, 3]] as const) {
      const value = define!.value.slice()
      viewOf(value).setUint32(at, word, true)
      expect(() => decodeLayout({ ...define!, value })).toThrow(/corrupt table definition/)
    }
  })

  it('of aborts are control batches', () => {
    const batch = abortBatch([new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)])
    expect(readBatchHeader(batch)).toMatchObject({ isControl: true, operationCount: 2 })
    expect([...readOperations(batch)].map(({ kind, key }) => [kind, key[0], key.length])).toEqual([[6, 1, 16], [6, 2, 16]])
  })

  it('refuse table ids that no key can follow', () => {
    expect(() => createBatchBuilder().put(0xffff_ffff, bytes('k'), bytes('v'))).toThrow(/table id/)
    expect(tableKey(0xffff_fffe)).toEqual(Uint8Array.of(255, 255, 255, 254))
  })

  it('that are damaged are corruption or other operations, never a crash or a hang', () => {
    const builder = createBatchBuilder()
    builder.put(1, bytes('key'), bytes('row'))
    builder.delete(1, bytes('another key'))
    const batch = builder.finish(1)
    assignParticipants(batch, { transactionId: new Uint8Array(16), parts: [{ shard: 1, baseSequence: 1 }] })
    let refused = 0
    for (let at = 0; at < batch.length * 8; at++) {
      const damaged = batch.slice()
      damaged[at >> 3]! ^= 1 << (at & 7)
      try {
        expect([...readOperations(damaged)].length).toBe(2)
      } catch (error) {
        expect(error).toBeInstanceOf(LsmtError)
        expect((error as LsmtError).code).toBe('XX001')
        refused++
      }
    }
    expect(refused).toBeGreaterThan(100)
    for (let length = 0; length < batch.length; length++) expect(() => [...readOperations(batch.slice(0, length))]).toThrow(/corrupt write batch/)
  })
})
