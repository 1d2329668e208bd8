import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { logFileName } from '../../../src/lsm/file-names.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { batchOf, kernel, openLog, readAll, sequencesOf, shard } from './log-fixture.ts'

type Files = ReadonlyMap<string, Uint8Array>

/** Three segments of four records of 72 bytes, the last record of each alone in its sync group. */
async function smallLog(): Promise<Files> {
  const storage = createMemoryStorage()
  const log = await openLog(storage, { settings: { logSegmentBytes: 384 } })
  for (let sequence = 1; sequence <= 12; sequence++) await log.append(sequence, batchOf(sequence, 1, 16))
  await log.close()
  return filesOf(storage)
}

async function filesOf(storage: Storage): Promise<Files> {
  const files = new Map<string, Uint8Array>()
  for (const { name } of await storage.list('')) files.set(name, await storage.read(name))
  return files
}

async function storageOf(files: Files): Promise<Storage> {
  const storage = createMemoryStorage()
  for (const [name, bytes] of files) await storage.createIfAbsent(name, [bytes])
  return storage
}

async function damaged(files: Files, name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<Storage> {
  return storageOf(new Map([...files].map(([each, bytes]) => [each, each === name ? change(bytes.slice()) : bytes])))
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1)
const segment = (number: number): string => logFileName(shard, number)

describe('a damaged log', () => {
  it('is refused or cut at the damage, whichever byte is flipped, and never gives a wrong record', async () => {
    const files = await smallLog()
    expect([...files.keys()]).toEqual([segment(1), segment(2), segment(3)])
    const outcomes = { refused: 0, cut: 0, harmless: 0 }
    for (const [name, bytes] of files) {
      for (let at = 0; at < bytes.length; at++) {
        const storage = await damaged(files, name, (copy) => {
          copy[at]! ^= 1 << (at % 8)
          return copy
        })
        outcomes[await judge(storage, name, at, bytes.length)]++
      }
    }
    // Cut: the last record of the last segment only. Harmless: the zeros after the records.
    expect(outcomes.cut).toBe(72)
    expect(outcomes.harmless).toBe(3 * (384 - 64 - 4 * 72))
    expect(kernel.heap.usedBytes).toBe(0)
  })

  /** What became of a flip of byte `at` of a segment. */
  async function judge(storage: Storage, name: string, at: number, byteLength: number): Promise<'refused' | 'cut' | 'harmless'> {
    const record = Math.floor((at - 64) / 72)
    const isTail = at >= 64 + 4 * 72
    try {
      const { all, cuts } = await readAll(storage)
      expect(all.map((each) => each.payload)).toEqual(sequencesOf(all).map((sequence) => batchOf(sequence, 1, 16)))
      if (isTail) {
        expect(all).toHaveLength(12)
        expect(at).toBeLessThan(byteLength)
        return 'harmless'
      }
      expect([name, record]).toEqual([segment(3), 3])
      expect(sequencesOf(all)).toEqual(range(11))
      expect(cuts).toMatchObject([{ file: name, byteOffset: 64 + 3 * 72 }])
      return 'cut'
    } catch (error) {
      if (!(error instanceof LsmtError)) throw error
      expect(error.code).toBe('XX001')
      // The last record of a segment is missed by the next one.
      const reporter = at >= 64 && record === 3 ? [segment(1), segment(2), segment(3)][[segment(1), segment(2)].indexOf(name) + 1] : name
      expect(error.evidence.file).toBe(reporter)
      if (at >= 64 && record < 3) expect(error.evidence.byteOffset).toBe(64 + record * 72)
      return 'refused'
    }
  }

  it('is refused wherever a segment is missing', async () => {
    const files = await smallLog()
    for (const number of [1, 2]) {
      const failure = await failureOf(readAll(await storageOf(new Map([...files].filter(([name]) => name !== segment(number))))))
      expect(failure.code).toBe('XX001')
      expect(failure.evidence.file).toBe(number === 1 ? segment(2) : segment(2))
    }
    const withoutFirst = await storageOf(new Map([...files].filter(([name]) => name !== segment(1))))
    expect(sequencesOf((await readAll(withoutFirst, 4)).all)).toEqual([5, 6, 7, 8, 9, 10, 11, 12])
  })

  it('is refused when a segment in its middle is empty, cut short, or another one', async () => {
    const files = await smallLog()
    for (const change of [() => new Uint8Array(384), () => new Uint8Array(0), (bytes: Uint8Array) => bytes.slice(0, 100), () => files.get(segment(3))!]) {
      expect((await failureOf(readAll(await damaged(files, segment(2), change)))).code).toBe('XX001')
    }
  })

  it('of a later format is refused with its version named', async () => {
    const files = await smallLog()
    const storage = await damaged(files, segment(2), (bytes) => {
      const at = kernel.heap.allocate(64)
      bytes[8] = 9
      kernel.memory.u8.set(bytes.subarray(0, 64), at)
      kernel.exports.checksumXxh64(at, 56, at + 56)
      bytes.set(kernel.memory.u8.slice(at, at + 64))
      kernel.heap.free(at)
      return bytes
    })
    const failure = await failureOf(readAll(storage))
    expect(failure.code).toBe('XX002')
    expect(failure.message).toContain('format 9')
  })

  it('is cut at any length of its last segment, exactly at the record that is torn', async () => {
    const files = await smallLog()
    for (let byteLength = 0; byteLength <= 384; byteLength += 4) {
      const storage = await damaged(files, segment(3), (bytes) => bytes.fill(0, byteLength))
      // Below the whole first record, only the durable sequence of a whole record could tell.
      const whole = Math.min(4, Math.max(0, Math.floor((byteLength - 64) / 72)))
      expect(sequencesOf((await readAll(storage)).all), `cut at ${byteLength}`).toEqual(range(8 + whole))
    }
  })

  it('goes on after a cut, and stays readable for good', async () => {
    const files = await smallLog()
    const storage = await damaged(files, segment(3), (bytes) => bytes.fill(0xee, 64 + 2 * 72 + 8, 64 + 2 * 72 + 40).fill(0, 64 + 3 * 72))
    const first = await readAll(storage)
    expect(sequencesOf(first.all)).toEqual(range(10))
    expect(first.cuts).toEqual([{ file: segment(3), byteOffset: 64 + 2 * 72, bytesDropped: 72 }])
    const log = await openLog(storage, { firstSegmentNumber: 4, writerEpoch: 2, baseSequence: 10 })
    await log.append(11, batchOf(11))
    await log.close()
    const second = await readAll(storage)
    expect(sequencesOf(second.all)).toEqual(range(11))
    expect(second.cuts.filter(({ file }) => file !== segment(3))).toEqual([])
  })
})
