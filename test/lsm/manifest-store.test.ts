import { describe, expect, it } from 'vitest'
import { manifestFileName } from '../../src/lsm/file-names.ts'
import { decodeManifest, encodeManifest } from '../../src/lsm/manifest-codec.ts'
import type { TableLayout } from '../../src/lsm/layout.ts'
import { loadManifest, publishManifest } from '../../src/lsm/manifest-store.ts'
import type { ManifestState } from '../../src/lsm/manifest.ts'
import type { TableMeta } from '../../src/lsm/table/table.ts'
import { changingKinds, createFaultyStorage } from '../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { failureOf } from '../storage/storage-conformance.ts'
import { openTestKernel } from '../kernel/both-kinds.ts'

const kernel = openTestKernel('js')
const shard = 2

function meta(fileNumber: number, tableId = 7): TableMeta {
  return {
    fileNumber, tableId, byteLength: 5000, tailBytes: 300, rowCount: 40, tombstoneCount: 2, rowGroupCount: 1,
    minKey: Uint8Array.of(0, 255, 128), maxKey: Uint8Array.of(1, 10), minSequence: 3, maxSequence: 44, rangeTombstoneCount: 1,
  }
}

function manifest(id: number): ManifestState {
  return {
    id, shard, writerEpoch: 4, flushedSequence: 1000 + id, nextFileNumber: 12, maxTableId: 9,
    layouts: [{ tableId: 7, columns: ['i64', 'bytes', 'f64'], key: [1, 0] }],
    tables: [{ tableId: 7, levels: [[meta(11), meta(3)], [], [meta(5)]] }, { tableId: 8, levels: [] }],
  }
}

async function storageOf(bytes: Uint8Array, id = 1): Promise<Storage> {
  const storage = createMemoryStorage()
  await storage.createIfAbsent(manifestFileName(shard, id), [bytes])
  return storage
}

/** A manifest whose checksum holds around any JSON. */
function framed(json: unknown): Uint8Array {
  const body = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  const file = Buffer.concat([encodeManifest(kernel, manifest(1)).subarray(0, 24), body])
  file.writeUInt32LE(body.length, 12)
  return resealed(file)
}

function resealed(file: Uint8Array): Uint8Array {
  const at = kernel.heap.allocate(file.length + 16)
  kernel.memory.u8.set(file.subarray(0, 16), at)
  kernel.memory.u8.set(file.subarray(24), at + 16)
  const out = at + ((file.length + 7) & ~7)
  kernel.exports.checksumXxh64(at, file.length - 8, out)
  file.set(kernel.memory.u8.slice(out, out + 8), 16)
  kernel.heap.free(at)
  return file
}

describe('the manifest store', () => {
  it('loads what was published last, and keeps the last two', async () => {
    const storage = createMemoryStorage()
    expect(await loadManifest(storage, kernel, shard)).toBeUndefined()
    for (let id = 1; id <= 5; id++) {
      expect(await publishManifest(storage, kernel, manifest(id))).toBe('published')
      expect(await loadManifest(storage, kernel, shard)).toEqual(manifest(id))
    }
    expect((await storage.list('')).map((object) => object.name)).toEqual([manifestFileName(shard, 4), manifestFileName(shard, 5)])
    expect(await loadManifest(storage, kernel, 20)).toBeUndefined()
    expect(kernel.heap.usedBytes).toBe(0)
  })

  it('writes the format as drawn, which must not change without a new version', () => {
    const state = { ...manifest(1), tables: [{ tableId: 7, levels: [[meta(11)]] }] }
    const bytes = Buffer.from(encodeManifest(kernel, state))
    expect(bytes.toString('latin1', 0, 8)).toBe('LSMTMAN1')
    expect(bytes.toString('hex', 8, 16)).toBe(`01000100${Buffer.of((bytes.length - 24) & 0xff, (bytes.length - 24) >> 8, 0, 0).toString('hex')}`)
    expect(bytes.toString('utf8', 24)).toBe('{"id":1,"shard":2,"writerEpoch":4,"flushedSequence":1001,"nextFileNumber":12,"maxTableId":9,'
      + '"layouts":[{"tableId":7,"columns":["i64","bytes","f64"],"key":[1,0]}],"tables":[{"tableId":7,"levels":[[{"fileNumber":11,"tableId":7,"byteLength":5000,'
      + '"tailBytes":300,"rowCount":40,"tombstoneCount":2,"rowGroupCount":1,"minKey":"AP+A","maxKey":"AQo=","minSequence":3,"maxSequence":44,"rangeTombstoneCount":1}]]}]}')
  })

  it('has another version when rows are older than columns with values, and reads both', () => {
    const layout: TableLayout = { ...manifest(1).layouts[0]!, missing: [{ ordinal: 1, value: Uint8Array.of(0, 255) }, { ordinal: 2, value: Number.NaN }, { ordinal: 0, value: 2n ** 62n + 1n }] }
    const state = { ...manifest(1), layouts: [layout] }
    const bytes = encodeManifest(kernel, state)
    expect(bytes[8]).toBe(2)
    expect(decodeManifest(kernel, bytes, 'm')).toEqual(state)
  })

  it('lets one of two writers publish an id, and fences the other for good', async () => {
    const storage = createFaultyStorage({ seed: 5, delayTurnsMax: 3 })
    await publishManifest(storage, kernel, manifest(1))
    const outcomes = await Promise.all([1, 2, 3].map((epoch) => publishManifest(storage, kernel, { ...manifest(2), writerEpoch: epoch })))
    expect(outcomes.slice().sort()).toEqual(['fenced', 'fenced', 'published'])
    expect((await loadManifest(storage, kernel, shard))?.writerEpoch).toBe(outcomes.indexOf('published') + 1)
    for (const id of [3, 4, 5]) await publishManifest(storage, kernel, manifest(id))
    // Numbers 2 and 3 are free again; whoever was overtaken must not take them.
    for (const id of [2, 3, 4, 5]) expect(await publishManifest(storage, kernel, { ...manifest(id), writerEpoch: 1 })).toBe('fenced')
    expect(await loadManifest(storage, kernel, shard)).toEqual(manifest(5))
  })

  it('refuses a manifest with any byte flipped, cut short or too long', async () => {
    const bytes = encodeManifest(kernel, manifest(1))
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice()
      flipped[at]! ^= 1 << (at % 8)
      const failure = await failureOf(loadManifest(await storageOf(flipped), kernel, shard))
      expect(failure.code, `byte ${at}`).toBe('XX001')
      expect(failure.evidence).toMatchObject({ file: manifestFileName(shard, 1), expected: expect.any(String), actual: expect.any(String) })
      expect((await failureOf(loadManifest(await storageOf(bytes.slice(0, at)), kernel, shard))).code, `${at} bytes`).toBe('XX001')
    }
    expect((await failureOf(loadManifest(await storageOf(Buffer.concat([bytes, Buffer.of(0)])), kernel, shard))).code).toBe('XX001')
  })

  it('never falls back to an older manifest', async () => {
    const storage = createMemoryStorage()
    await publishManifest(storage, kernel, manifest(1))
    await storage.createIfAbsent(manifestFileName(shard, 2), [new Uint8Array(100)])
    expect((await failureOf(loadManifest(storage, kernel, shard))).evidence.file).toBe(manifestFileName(shard, 2))
  })

  it('names the version of a manifest that it cannot read', async () => {
    for (const [at, text] of [[8, 'format 9'], [10, 'algorithm 9']] as const) {
      const bytes = encodeManifest(kernel, manifest(1)).slice()
      bytes[at] = 9
      const failure = await failureOf(loadManifest(await storageOf(resealed(bytes)), kernel, shard))
      expect(failure.code).toBe('XX002')
      expect(failure.message).toContain(text)
    }
  })

  it('refuses a manifest under another name', async () => {
    const bytes = encodeManifest(kernel, manifest(1))
    expect((await failureOf(loadManifest(await storageOf(bytes, 2), kernel, shard))).code).toBe('XX001')
    const elsewhere = createMemoryStorage()
    await elsewhere.createIfAbsent(manifestFileName(9, 1), [bytes])
    expect((await failureOf(loadManifest(elsewhere, kernel, 9))).code).toBe('XX001')
  })

  it('checks the shape of what a good checksum covers, and names the field', () => {
    const good = JSON.parse(Buffer.from(encodeManifest(kernel, manifest(1)).subarray(24)).toString())
    const file = manifestFileName(shard, 1)
    expect(decodeManifest(kernel, framed(good), file)).toEqual(manifest(1))
    const firstMeta = good.tables[0].levels[0][0]
    const withMeta = (change: object): unknown => ({ ...good, tables: [{ tableId: 7, levels: [[{ ...firstMeta, ...change }]] }] })
    const cases: readonly (readonly [unknown, string])[] = [
      ['{"id":', 'JSON'], ['null', 'manifest'], ['[]', 'manifest'], [{}, 'manifest.id'],
      [{ ...good, flushedSequence: -1 }, 'manifest.flushedSequence'], [{ ...good, flushedSequence: 2 ** 53 }, 'manifest.flushedSequence'],
      [{ ...good, writerEpoch: '4' }, 'manifest.writerEpoch'], [{ ...good, tables: {} }, 'manifest.tables'], [{ ...good, nextFileNumber: 11 }, 'nextFileNumber'],
      [{ ...good, layouts: [{ tableId: 7, columns: ['i32'], key: [0] }] }, 'layouts[0].columns[0]'],
      [{ ...good, layouts: [{ tableId: 7, columns: ['toString'], key: [0] }] }, 'layouts[0].columns[0]'],
      [{ ...good, layouts: [{ tableId: 7, columns: ['i64'], key: [1] }] }, 'layouts[0].key[0]'],
      [{ ...good, layouts: [good.layouts[0], good.layouts[0]] }, 'layouts'],
      [{ ...good, layouts: [{ tableId: 7, columns: ['i64'], key: [0], missing: [{ ordinal: 1, value: 'AAAAAAAAAAA=' }] }] }, 'layouts[0].missing[0].ordinal'],
      [{ ...good, layouts: [{ tableId: 7, columns: ['i64'], key: [0], missing: [{ ordinal: 0, value: 'AAAA' }] }] }, 'layouts[0].missing[0].value'],
      [{ ...good, tables: [{ tableId: 7, levels: [[firstMeta, firstMeta]] }] }, 'tables'],
      [{ ...good, tables: [{ tableId: 7, levels: [firstMeta] }] }, 'tables[0].levels[0]'],
      [withMeta({ minKey: '*' }), 'tables[0].levels[0][0].minKey'], [withMeta({ minKey: '/////w==' }), 'maxKey'], [withMeta({ tableId: 8 }), 'tableId'],
      [withMeta({ tailBytes: 5001 }), 'tailBytes'], [withMeta({ maxSequence: 2 }), 'maxSequence'], [withMeta({ rowCount: 1.5 }), 'rowCount'], [withMeta({ byteLength: null }), 'byteLength'],
    ]
    for (const [json, named] of cases) {
      expect(() => decodeManifest(kernel, framed(json), file), named).toThrow(expect.objectContaining({ code: 'XX001', evidence: expect.objectContaining({ actual: expect.stringContaining(named) }) }))
    }
  })

  it('does not write what it could not read', () => {
    expect(() => encodeManifest(kernel, { ...manifest(1), nextFileNumber: 1 })).toThrow(expect.objectContaining({ code: 'XX000' }))
    expect(() => encodeManifest(kernel, { ...manifest(1), flushedSequence: Number.NaN })).toThrow(expect.objectContaining({ code: 'XX000' }))
  })

  it('keeps the last acknowledged state, or a later one, wherever the power goes', async () => {
    const publishAll = async (storage: Storage, published: (id: number) => void): Promise<void> => {
      for (let id = 1; id <= 5; id++) {
        await publishManifest(storage, kernel, manifest(id))
        published(id)
      }
    }
    const dry = createFaultyStorage({ seed: 1 })
    await publishAll(dry, () => {})
    for (const { number } of dry.operations.filter(({ kind }) => changingKinds.includes(kind))) {
      for (const seed of [1, 2, 3]) {
        const disk = createFaultyStorage({ seed, crashAtOperation: number })
        let acknowledged = 0
        // A manifest that could only not be removed is told to nobody.
        await publishAll(disk, (id) => { acknowledged = id }).catch(() => undefined)
        expect(disk.crashed).toBe(true)
        const found = await loadManifest(disk.crash({ seed }), kernel, shard)
        expect(found?.id ?? 0).toBeGreaterThanOrEqual(acknowledged)
        expect(found?.id ?? 0).toBeLessThanOrEqual(acknowledged + 1)
        if (found) expect(found).toEqual(manifest(found.id))
      }
    }
  })
})
