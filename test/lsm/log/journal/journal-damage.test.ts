import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../../src/errors.ts'
import { createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../../src/storage/storage.ts'
import { fullTests } from '../../../kernel/both-kinds.ts'
import { failureOf } from '../../../storage/storage-conformance.ts'
import { batchOf, kernel } from '../log-fixture.ts'
import { allShards, findRecords, openLogs, range, sequencesByShard, untilUsed } from './journal-fixture.ts'
import type { FoundSequences } from './journal-fixture.ts'

type Files = ReadonlyMap<string, Uint8Array>
const shards = 4
const segment = (number: number): string => `wal/journal/${String(number).padStart(20, '0')}.wal`

/** What a loss of power leaves of four logs whose last records only the journal has, in `segments` segments of it. */
async function leftBehind(segments: number, isCarriedOver = true): Promise<{ readonly files: Files; readonly expected: FoundSequences }> {
  const storage = createFaultyStorage({ seed: 3, fail: ({ kind, name }) => (kind === 'delete' && name.startsWith('wal/journal/') ? new LsmtError('58030', 'cannot delete', { file: name }) : undefined) })
  const opened = await openLogs(storage, { journalSegmentBytes: 1024 })
  await untilUsed(opened)
  while (opened.journal.counts.segments < segments) await opened.round(allShards)
  // Time to carry the first segment over, and rounds that say so.
  for (const pair of isCarriedOver ? [[0, 1], [2, 3], [0, 1], [1, 2]] : []) {
    for (let turns = 0; turns < 40; turns++) await new Promise((resolve) => setImmediate(resolve))
    await opened.round(pair)
  }
  const expected = opened.next.map((next) => range(1, next - 1))
  const left = storage.crash({ seed: 4 })
  await opened.close().catch(() => undefined)
  const files = new Map<string, Uint8Array>()
  for (const { name } of await left.list('')) files.set(name, await left.read(name))
  return { files, expected }
}

async function storageOf(files: Files): Promise<Storage> {
  const storage = createMemoryStorage()
  for (const [name, bytes] of files) await storage.createIfAbsent(name, [bytes])
  return storage
}

const used = (bytes: Uint8Array): number => bytes.findLastIndex((byte) => byte !== 0) + 1

describe('a damaged journal', () => {
  it('is refused, or cut where nothing proves more, whichever byte is flipped, and never gives a wrong record', async () => {
    const { files, expected } = await leftBehind(1)
    expect(sequencesByShard(await findRecords(await storageOf(files)))).toEqual(expected)
    const outcomes = { refused: 0, cut: 0, harmless: 0 }
    for (const [name, bytes] of files) {
      for (let at = 0; at < used(bytes) + 16; at += fullTests ? 1 : 13) {
        const flipped = bytes.slice()
        flipped[at]! ^= 1 << (at % 8)
        outcomes[await judge(new Map([...files, [name, flipped]]), name, expected)]++
      }
    }
    expect(outcomes.refused).toBeGreaterThan(outcomes.cut)
    expect(outcomes.harmless).toBeLessThan(120)
    expect(kernel.heap.usedBytes).toBe(0)
  })

  async function judge(files: Files, name: string, expected: FoundSequences): Promise<'refused' | 'cut' | 'harmless'> {
    try {
      const records = await findRecords(await storageOf(files))
      for (const { baseSequence, payload } of records.flat()) expect(payload).toEqual(batchOf(baseSequence))
      const found = sequencesByShard(records)
      const missing = expected.flatMap((each, shard) => each.slice(found[shard]!.length))
      for (const [shard, each] of found.entries()) expect(each).toEqual(range(1, each.length).slice(0, expected[shard]!.length))
      if (missing.length === 0) return 'harmless'
      // The last round, which nothing stands behind; or the whole first write of a log, of which that is true as well.
      expect(name).toMatch(/^wal\/journal\//)
      expect(missing).toHaveLength(2)
      return 'cut'
    } catch (error) {
      if (!(error instanceof LsmtError)) throw error
      expect(error.code).toBe('XX001')
      return 'refused'
    }
  }

  it('is refused where a segment of it is missing that it needs, and not where it does not', async () => {
    const without = async (files: Files, number: number): Promise<Storage> => storageOf(new Map([...files].filter(([name]) => name !== segment(number))))
    // The first round of a segment says that those before it are needed.
    const begun = await leftBehind(2, false)
    const failure = await failureOf(findRecords(await without(begun.files, 1)))
    expect([failure.code, failure.message]).toEqual(['XX001', expect.stringContaining('segments before this one are missing')])
    const { files, expected } = await leftBehind(3)
    expect((await failureOf(findRecords(await without(files, 2)))).code).toBe('XX001')
    // This one could not be deleted, and is needed no more.
    expect(sequencesByShard(await findRecords(await without(files, 1)))).toEqual(expected)
  })

  it('shows where a log of its own lost records that had been durable', async () => {
    const { files } = await leftBehind(1)
    const name = 'wal/1/00000000000000000001.wal'
    const bytes = files.get(name)!.slice()
    const end = used(bytes)
    expect(end).toBeGreaterThan(200)
    // The last record there: by itself nothing tells that it was durable.
    bytes.fill(0, end - 40)
    const failure = await failureOf(findRecords(await storageOf(new Map([...files, [name, bytes]]))))
    expect(failure).toMatchObject({ code: 'XX001', evidence: { file: segment(1) } })
    expect(failure.message).toMatch(/expected a record of shard 1 at sequence \d+, where its own log ends, found one at sequence \d+: records between are missing/)
  })

  it('of more shards than the database has is refused', async () => {
    const { files } = await leftBehind(1)
    expect((await failureOf(findRecords(await storageOf(files), { shards: shards - 1 }))).message).toContain('a shard below 3')
  })

  it('that was taken over goes, however far its removal had come', async () => {
    const { files } = await leftBehind(3)
    const names = [...files.keys()].filter((name) => name.startsWith('wal/journal/'))
    for (let removed = 0; removed <= names.length; removed++) {
      const first = createFaultyStorage({ seed: 1 })
      for (const [name, bytes] of files) if (!names.slice(0, removed).includes(name)) await first.createIfAbsent(name, [bytes])
      await first.createIfAbsent('wal/journal/taken', [Buffer.from('taken')])
      const opened = await openLogs(first, { writerEpoch: 2 })
      expect(await first.list('wal/journal/')).toEqual([])
      await opened.close()
    }
  })
})
