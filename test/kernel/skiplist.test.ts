import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { encodeBatch, KernelMemtable, MemtableModel, tableKey } from './skiplist-model.ts'
import type { Entry, Operation } from './skiplist-model.ts'

const full = process.env['LSMT_TEST_FULL'] === '1'
const MiB = 1 << 20
const kinds = ['wasm', 'js'] as const
const open = (kind: 'wasm' | 'js', byteLength = 16 * MiB): Kernel => openKernel(kind, reserveLinearMemory(byteLength))

/** Families of keys: what real primary keys look like, and what hurts prefixes. */
const keyFamilies: Readonly<Record<string, (random: Random, space: number) => Buffer>> = {
  random: (random, space) => tableKey(1 + random.below(2), Buffer.from(Uint32Array.from([Math.imul(random.below(space), 0x9e3779b1), 7]).buffer)),
  digits: (random, space) => tableKey(7, `user:${String(random.below(space)).padStart(12, '0')}`),
  tiny: (random) => tableKey(random.below(3), Buffer.from(Array.from({ length: random.below(4) }, () => [0, 1, 255][random.below(3)]!))),
  longShared: (random, space) => tableKey(3, 'https://example.com/a/very/long/path/' + String(random.below(space)) + (random.below(5) === 0 ? '/x'.repeat(300) : '')),
  mixed: (random, space) => keyFamilies[random.below(2) === 0 ? 'digits' : 'longShared']!(random, space),
  manyTables: (random, space) => tableKey(random.below(space), String(random.below(9))),
}

function randomOperation(random: Random, key: () => Buffer): Operation {
  const dice = random.below(200)
  if (dice < 130) return { kind: 'put', key: key(), value: Buffer.from(Array.from({ length: 1 + random.below(random.below(50) === 0 ? 3000 : 30) }, () => random.below(256))) }
  if (dice < 190) return { kind: 'delete', key: key() }
  if (dice < 196) {
    const [start, end] = [key(), key()].sort(Buffer.compare)
    return random.below(4) === 0 ? { kind: 'rangeDelete', key: end!, end: start! } : { kind: 'rangeDelete', key: start!, end: end! }
  }
  if (dice < 199) return { kind: 'defineTable', key: key().subarray(0, 4) }
  return { kind: 'dropTable', key: random.below(10) === 0 ? Buffer.alloc(4, 255) : key().subarray(0, 4) }
}

/** Reads [lower, upper) in one direction in calls of random limits, as the tree resumes a cursor. */
function readAll(table: KernelMemtable, random: Random, sequence: number, lower: string, upper: string, backward: boolean): Entry[] {
  const cursor = table.seek(backward ? upper : lower, backward)
  const entries: Entry[] = []
  while (true) {
    const limit = random.below(10) === 0 ? 0 : 1 + random.below(40)
    const page = table.read(cursor, sequence, backward ? lower : upper, limit)
    entries.push(...page)
    if (page.length < limit) break
  }
  expect(table.read(cursor, sequence, backward ? lower : upper, 5)).toEqual([])
  return entries
}

function compareScan(table: KernelMemtable, model: MemtableModel, random: Random, sequence: number, lower: string, upper: string, label: string): void {
  const expected = model.scan(sequence, lower, upper === '' ? undefined : upper)
  expectEntries(readAll(table, random, sequence, lower, upper, false), expected, `${label}, forward`)
  expectEntries(readAll(table, random, sequence, lower, upper, true), [...expected].reverse(), `${label}, backward`)
}

/** Names the first entry that differs: whole lists would drown it. */
function expectEntries(found: readonly Entry[], expected: readonly Entry[], label: string): void {
  const first = expected.findIndex((entry, i) => entry[0] !== found[i]?.[0] || entry[1] !== found[i]?.[1])
  if (first >= 0) expect(found[first], `${label}, entry ${first}`).toEqual(expected[first])
  expect(found.length, label).toBe(expected.length)
}

describe.each(kinds)('memtable kernel, %s', (kind) => {
  for (const [family, makeKey] of Object.entries(keyFamilies)) {
    it(`answers as the model over random batches of ${family} keys`, () => {
      for (let seed = 1; seed <= (full ? 12 : 2); seed++) {
        const random = seededRandom(seed)
        const label = `family ${family}, seed ${seed}`
        const space = [30, 400, 3000][random.below(3)]!
        const key = (): Buffer => makeKey(random, space)
        const table = new KernelMemtable(open(kind, 32 * MiB), 512 + random.below(20_000))
        const model = new MemtableModel()
        let sequence = 1 + random.below(1000)
        const snapshots: number[] = [sequence]
        for (let batch = 0; batch < 60; batch++) {
          const operations = Array.from({ length: random.below(random.below(5) === 0 ? 300 : 20) }, () => randomOperation(random, key))
          expect(table.applyBytes(encodeBatch(sequence, operations), 1024 + random.below(50_000)), label).toBe(0)
          model.apply(sequence, operations)
          sequence += operations.length
          snapshots.push(sequence - 1)
          expect(table.kernel.exports.skiplistEntryCount(table.table)).toBe(model.entries)
          for (let probe = 0; probe < 20; probe++) {
            const at = snapshots[random.below(snapshots.length)]!, probed = key().toString('latin1')
            expect(table.get(probed, at), label).toEqual(model.get(probed, at))
          }
          compareRecent(table, model, random, snapshots, label)
          compareSpans(table, model, random, key, label)
          if (batch % 15 !== 14) continue
          const at = random.below(2) === 0 ? sequence : snapshots[random.below(snapshots.length)]!
          compareScan(table, model, random, at, '', '', label)
          const [lower, upper] = [key(), random.below(3) === 0 ? key().subarray(0, random.below(5)) : key()].sort(Buffer.compare)
          compareScan(table, model, random, at, lower!.toString('latin1'), upper!.toString('latin1'), label)
        }
        compareRanges(table, model)
        for (const probed of model.versions.keys()) expect(table.get(probed, sequence)).toEqual(model.get(probed, sequence))
      }
    })
  }

  function compareRecent(table: KernelMemtable, model: MemtableModel, random: Random, snapshots: readonly number[], label: string): void {
    const [since, sequence] = [snapshots[Math.max(0, snapshots.length - 1 - random.below(6))]!, snapshots[random.below(2) === 0 ? snapshots.length - 1 : random.below(snapshots.length)]!]
    const keys = [...model.versions.keys()], prefix = random.below(4) === 0 || keys.length === 0 ? '' : keys[random.below(keys.length)]!.slice(0, 4)
    const { entries, versionCount } = model.scanSince(since, sequence, prefix)
    const found = table.readSince(since, sequence, prefix, versionCount)
    expect(found, label).toBeDefined()
    expectEntries(found!, entries, `${label}, since ${since} up to ${sequence}`)
    if (versionCount > 0) expect(table.readSince(since, sequence, prefix, versionCount - 1), label).toBeUndefined()
  }

  /** Spans of two keys, of one, and between neighbours. */
  function compareSpans(table: KernelMemtable, model: MemtableModel, random: Random, key: () => Buffer, label: string): void {
    const keys = [...model.versions.keys()]
    for (let probe = 0; probe < 4; probe++) {
      const [a, b] = [key().toString('latin1'), probe === 0 ? key().toString('latin1') : `${keys[random.below(keys.length)] ?? ''}${'\0'.repeat(random.below(2))}`]
      const [first, last] = probe === 1 ? [b, b] : a < b ? [a, b] : [b, a]
      expect(table.hasKeys(first, last), `${label}, keys from ${JSON.stringify(first)} to ${JSON.stringify(last)}`).toBe(keys.some((each) => each >= first && each <= last))
    }
  }

  function compareRanges(table: KernelMemtable, model: MemtableModel): void {
    const { exports, heap, memory } = table.kernel
    const out = heap.allocate(24)
    expect(exports.skiplistRangeCount(table.table)).toBe(model.ranges.length)
    model.ranges.forEach((range, i) => {
      exports.skiplistRangeAt(table.table, i, out)
      expect([table.textAt(out), table.textAt(out + 8), memory.f64[(out + 16) >>> 3]]).toEqual([range.start, range.end ?? '', range.sequence])
    })
  }

  it('finds keys that came in order, whatever came between them', () => {
    for (let seed = 1; seed <= (full ? 40 : 3); seed++) {
      const random = seededRandom(seed)
      const table = new KernelMemtable(open(kind, 32 * MiB), 512 + random.below(20_000))
      const model = new MemtableModel()
      const keyAt = (i: number): Buffer => tableKey(1, `k${String(i).padStart(7, '0')}`)
      const inOrder = [1, 8, 60][seed % 3]!
      let next = 0, sequence = 1
      for (let batch = 0; batch < 40; batch++) {
        const operations = Array.from({ length: 1 + random.below(200) }, (): Operation => {
          const key = random.below(inOrder) > 0 ? keyAt(next += 1 + random.below(2)) : keyAt(random.below(next + 2))
          return random.below(6) === 0 ? { kind: 'delete', key } : { kind: 'put', key, value: Buffer.from(String(sequence + random.below(1000))) }
        })
        expect(table.applyBytes(encodeBatch(sequence, operations), 64 * 1024)).toBe(0)
        model.apply(sequence, operations)
        sequence += operations.length
        for (let probe = random.below(3) === 0 ? 10 : 0; probe > 0; probe--) {
          const key = keyAt(random.below(next + 3)).toString('latin1')
          expect(table.get(key, sequence), `seed ${seed}, batch ${batch}`).toEqual(model.get(key, sequence))
        }
      }
      compareScan(table, model, random, sequence, '', '', `seed ${seed}`)
      for (let i = 0; i < next + 3; i++) expect(table.get(keyAt(i).toString('latin1'), sequence), `seed ${seed}, key ${i}`).toEqual(model.get(keyAt(i).toString('latin1'), sequence))
    }
  })

  it('leaves the index as its memory was while keys come in order, and finds them when asked', () => {
    const kernel = open(kind, 32 * MiB), { memory, heap } = kernel
    memory.u8.fill(0xab, heap.base, heap.base + heap.byteLength)
    const table = new KernelMemtable(kernel, MiB)
    const keyAt = (i: number): Buffer => tableKey(1, `k${String(2 * i).padStart(7, '0')}`)
    const count = 20_000
    for (let i = 0; i < count; i += 500) {
      const operations = Array.from({ length: 500 }, (_, j): Operation => ({ kind: 'put', key: keyAt(i + j), value: Buffer.from(String(i + j)) }))
      expect(table.applyBytes(encodeBatch(1 + i, operations), MiB)).toBe(0)
    }
    const index = memory.u32[(table.table + 32) >>> 2]!, slots = memory.u32[(table.table + 36) >>> 2]!
    expect(slots).toBeGreaterThan(count)
    expect(memory.u8.subarray(index, index + 8 * slots).every((byte) => byte === 0xab)).toBe(true)
    for (let i = 0; i < count; i += 7) {
      expect(table.get(keyAt(i).toString('latin1'), 1e15)).toBe(String(i))
      expect(table.get(`${keyAt(i).toString('latin1')}x`, 1e15)).toEqual({ unknown: true })
    }
  })

  it.each(['ascending', 'descending', 'interleaved'])('holds many keys that come %s', (order) => {
    const count = full ? 200_000 : 20_000
    const table = new KernelMemtable(open(kind, 96 * MiB), MiB)
    const keyOf = (i: number): Buffer => tableKey(order === 'interleaved' ? i % 5 : 1, `k${String(order === 'descending' ? count - i : i).padStart(9, '0')}`)
    for (let i = 0; i < count; i += 1000) {
      const operations = Array.from({ length: 1000 }, (_, j): Operation => ({ kind: 'put', key: keyOf(i + j), value: Buffer.from(String(i + j)) }))
      expect(table.applyBytes(encodeBatch(1 + i, operations), MiB)).toBe(0)
    }
    const expected = Array.from({ length: count }, (_, i) => [keyOf(i).toString('latin1'), String(i)] as const).sort((a, b) => (a[0] < b[0] ? -1 : 1))
    for (const backward of [false, true]) {
      const cursor = table.seek('', backward)
      const found: Entry[] = []
      for (let page = table.read(cursor, 1e15, '', 256); page.length > 0; page = table.read(cursor, 1e15, '', 256)) found.push(...page)
      expectEntries(found, backward ? [...expected].reverse() : expected, order)
    }
    expect(table.kernel.exports.skiplistUsedBytes(table.table)).toBeLessThan(count * 110)
  })

  it('keeps a cursor in place while keys are written around it', () => {
    for (let seed = 1; seed <= (full ? 20 : 4); seed++) {
      const random = seededRandom(seed)
      const table = new KernelMemtable(open(kind), 8192)
      const model = new MemtableModel()
      const key = (): Buffer => keyFamilies['digits']!(random, 5000)
      let sequence = 1
      const write = (count: number): void => {
        const operations = Array.from({ length: count }, () => randomOperation(random, key))
        expect(table.applyBytes(encodeBatch(sequence, operations), 32_768)).toBe(0)
        model.apply(sequence, operations)
        sequence += count
      }
      write(600)
      const snapshot = sequence - 1
      for (const backward of [false, true]) {
        const bounds = [key().toString('latin1'), key().toString('latin1')].sort()
        const [lower, upper] = seed % 2 === 0 ? ['', ''] : [bounds[0]!, bounds[1]!]
        const expected = model.scan(snapshot, lower, upper === '' ? undefined : upper)
        const cursor = table.seek(backward ? upper : lower, backward)
        const found: Entry[] = []
        for (let limit = 1; ; limit = 1 + random.below(20)) {
          write(random.below(60))
          const page = table.read(cursor, snapshot, backward ? lower : upper, limit)
          found.push(...page)
          if (page.length < limit) break
        }
        expectEntries(found, backward ? expected.reverse() : expected, `seed ${seed}`)
      }
    }
  })

  it('seeks from keys that do not share what all its keys share', () => {
    const random = seededRandom(23)
    const table = new KernelMemtable(open(kind), 65_536)
    const model = new MemtableModel()
    for (let batch = 0; batch < 10; batch++) {
      const operations = Array.from({ length: 500 }, (): Operation => ({ kind: 'put', key: keyFamilies['digits']!(random, 1_000_000), value: Buffer.from('v') }))
      expect(table.applyBytes(encodeBatch(1 + 500 * batch, operations), 65_536)).toBe(0)
      model.apply(1 + 500 * batch, operations)
    }
    const outside = [Buffer.alloc(1), tableKey(6, 'zzz'), tableKey(7), tableKey(7, 'user'), tableKey(7, 'user:0000001'), tableKey(7, 'user:1'), tableKey(7, 'v'), tableKey(8), Buffer.alloc(9, 255)]
    for (const lower of outside) {
      expect(table.get(lower.toString('latin1'), 1e9)).toEqual({ unknown: true })
      for (const upper of outside) {
        if (Buffer.compare(lower, upper) <= 0) compareScan(table, model, random, 1e9, lower.toString('latin1'), upper.toString('latin1'), `${lower.toString('hex')} to ${upper.toString('hex')}`)
      }
    }
  })

  it('leaves the table id out of key refs', () => {
    const table = new KernelMemtable(open(kind))
    table.applyBytes(encodeBatch(1, [{ kind: 'put', key: tableKey(9), value: Buffer.from('x') }, { kind: 'put', key: tableKey(9, 'ab'), value: Buffer.from('y') }]))
    expect(table.read(table.seek(tableKey(9).toString('latin1'), false), 5, tableKey(10).toString('latin1'), 10, 4)).toEqual([['', 'x'], ['ab', 'y']])
  })

  it('reads the newest version although batches came out of order', () => {
    const table = new KernelMemtable(open(kind))
    const model = new MemtableModel()
    for (const base of [10, 30, 20, 5, 30]) {
      const operations: Operation[] = [{ kind: 'put', key: tableKey(1, 'a'), value: Buffer.from(`${base}`) }, { kind: 'delete', key: tableKey(1, 'b') }]
      table.applyBytes(encodeBatch(base, operations))
      model.apply(base, operations)
    }
    const key = tableKey(1, 'a').toString('latin1')
    for (let sequence = 0; sequence < 40; sequence++) expect(table.get(key, sequence)).toEqual(model.get(key, sequence))
  })

  it('passes over control batches and those without operations', () => {
    const table = new KernelMemtable(open(kind))
    expect(table.applyBytes(encodeBatch(5, []))).toBe(0)
    expect(table.applyBytes(encodeBatch(5, [{ kind: 'abort', key: Buffer.alloc(16, 1) }], 2))).toBe(0)
    expect(table.applyBytes(encodeBatch(5, [{ kind: 'abort', key: Buffer.alloc(16, 1) }]))).toBe(-1)
    expect(table.kernel.exports.skiplistEntryCount(table.table)).toBe(0)
    expect(table.get('none', 9)).toEqual({ unknown: true })
    for (const backward of [false, true]) expect(table.read(table.seek('', backward), 9, '', 5)).toEqual([])
  })

  it('takes nothing of a batch that it has no room for', () => {
    const kernel = open(kind)
    const table = new KernelMemtable(kernel, 1024)
    const batch = encodeBatch(1, Array.from({ length: 500 }, (_, i): Operation => ({ kind: 'put', key: tableKey(1, `${i}`), value: Buffer.alloc(50, 1) })))
    const at = table.place(batch)
    const before = kernel.exports.skiplistUsedBytes(table.table)
    const needed = kernel.exports.skiplistApply(table.table, at, batch.length)
    expect(needed).toBeGreaterThan(500 * 50)
    expect(kernel.exports.skiplistUsedBytes(table.table)).toBe(before)
    expect(table.read(table.seek('', false), 1e9, '', 10)).toEqual([])
    kernel.exports.skiplistAddSegment(table.table, kernel.heap.allocate(needed), needed)
    expect(kernel.exports.skiplistApply(table.table, at, batch.length)).toBe(0)
    expect(kernel.exports.skiplistEntryCount(table.table)).toBe(500)
  })

  it('refuses malformed batches or applies them cleanly', () => {
    const seed = 5
    const random = seededRandom(seed)
    const key = (): Buffer => keyFamilies['tiny']!(random, 0)
    const operations = Array.from({ length: 12 }, () => randomOperation(random, key))
    const good = encodeBatch(100, operations)
    const table = new KernelMemtable(open(kind, 64 * MiB), 65_536)
    const model = new MemtableModel()
    for (let length = 0; length < good.length; length++) {
      expect(table.applyBytes(good.subarray(0, length))).toBe(-1)
      const honest = Buffer.from(good.subarray(0, length))
      if (length >= 24) honest.writeUInt32LE(length, 0)
      expect(table.applyBytes(honest)).toBe(-1)
    }
    for (let round = 0; round < (full ? 20_000 : 1500); round++) {
      const flipped = Buffer.from(good)
      for (let flip = 0; flip <= random.below(3); flip++) flipped[random.below(flipped.length)]! ^= 1 << random.below(8)
      const answer = table.applyBytes(flipped, 65_536)
      expect(answer === 0 || answer === -1, `seed ${seed} round ${round}`).toBe(true)
      if (answer === 0) decodeInto(model, flipped)
    }
    expect(table.applyBytes(good, 65_536)).toBe(0)
    decodeInto(model, good)
    expect(table.kernel.exports.skiplistEntryCount(table.table)).toBe(model.entries)
    compareScan(table, model, random, Number.MAX_SAFE_INTEGER, '', '', `seed ${seed}`)
  })

  function decodeInto(model: MemtableModel, batch: Buffer): void {
    if ((batch.readUInt32LE(20) & 2) !== 0) return
    let at = batch.readUInt32LE(16)
    for (let i = 0; i < batch.readUInt32LE(4); i++) {
      const keyBytes = batch.readUInt32LE(at + 4), valueBytes = batch.readUInt32LE(at + 8)
      const key = batch.subarray(at + 12, at + 12 + keyBytes), value = batch.subarray(at + 12 + keyBytes, at + 12 + keyBytes + valueBytes)
      const kindName = (['put', 'delete', 'rangeDelete', 'defineTable', 'dropTable'] as const)[batch.readUInt8(at) - 1]!
      model.apply(batch.readDoubleLE(8) + i, [{ kind: kindName, key, value, end: value }])
      at += Math.ceil((12 + keyBytes + valueBytes) / 4) * 4
    }
  }

  it('refuses what the layout forbids', () => {
    const table = new KernelMemtable(open(kind))
    const put: Operation = { kind: 'put', key: tableKey(1, 'k'), value: Buffer.from('v') }
    const broken = (change: (batch: Buffer) => void): number => {
      const batch = encodeBatch(7, [put])
      change(batch)
      return table.applyBytes(batch)
    }
    expect(broken((batch) => batch.writeDoubleLE(Number.NaN, 8))).toBe(-1)
    expect(broken((batch) => batch.writeDoubleLE(1.5, 8))).toBe(-1)
    expect(broken((batch) => batch.writeDoubleLE(2 ** 53, 8))).toBe(-1)
    expect(broken((batch) => batch.writeUInt8(1, 25))).toBe(-1)
    expect(broken((batch) => batch.writeUInt32LE(0xffffffff, 28))).toBe(-1)
    expect(broken((batch) => batch.writeUInt32LE(0xfffffff0, 32))).toBe(-1)
    expect(broken((batch) => batch.writeUInt8(9, batch.length - 1))).toBe(-1)
    expect(table.applyBytes(encodeBatch(7, [{ ...put, key: Buffer.from('abc') }]))).toBe(-1)
    expect(table.applyBytes(encodeBatch(7, [{ ...put, value: Buffer.alloc(0) }]))).toBe(-1)
    expect(table.applyBytes(encodeBatch(7, [put, { kind: 'rangeDelete', key: tableKey(1), end: Buffer.alloc(0) }]))).toBe(-1)
    expect(table.kernel.exports.skiplistEntryCount(table.table)).toBe(0)
    expect(broken(() => undefined)).toBe(0)
  })

  it('answers from the levels when many keys share a hash neighbourhood', () => {
    const table = new KernelMemtable(open(kind), 65_536)
    const { memory, exports, heap } = table.kernel
    table.applyBytes(encodeBatch(1, [{ kind: 'put', key: tableKey(1, 'first'), value: Buffer.from('1') }]))
    // A key above all others is entered in the index when one is looked for.
    expect(table.get(tableKey(1, 'first').toString('latin1'), 1)).toBe('1')
    const index = memory.u32[(table.table + 32) >>> 2]!, slots = memory.u32[(table.table + 36) >>> 2]!
    const decoy = memory.u32.subarray(index >>> 2, (index >>> 2) + 2 * slots)
    const node = decoy.find((_, i) => i % 2 === 1 && decoy[i] !== 0)!
    for (let i = 0; i < slots; i++) if (decoy[2 * i + 1] === 0) decoy.set([0, node], 2 * i)
    const operations = Array.from({ length: 100 }, (_, i): Operation => ({ kind: 'put', key: tableKey(1, `key ${i % 50}`), value: Buffer.from(`${i}`) }))
    expect(table.applyBytes(encodeBatch(2, operations), 65_536)).toBe(0)
    for (let i = 0; i < 50; i++) expect(table.get(tableKey(1, `key ${i}`).toString('latin1'), 1000)).toBe(`${i + 50}`)
    expect(table.get(tableKey(1, 'absent').toString('latin1'), 1000)).toEqual({ unknown: true })
    expect(table.read(table.seek('', false), 1000, '', 256).length).toBe(51)
    expect(exports.skiplistEntryCount(table.table)).toBe(101)
    expect(heap.usedBytes).toBeGreaterThan(0)
  })
})

describe.each([['wasm', 'js'], ['js', 'wasm']] as const)('a memtable written by %s', (writer, reader) => {
  it(`is read, and written on, by ${reader}`, () => {
    const random = seededRandom(17)
    const memory = reserveLinearMemory(32 * MiB)
    const regions = [{ base: 65_536, byteLength: 15 * MiB }, { base: 16 * MiB, byteLength: 16 * MiB }] as const
    const written = new KernelMemtable(openKernel(writer, memory, regions[0]), 8192)
    const read = new KernelMemtable(openKernel(reader, memory, regions[1]), 0, written.table)
    const model = new MemtableModel()
    let sequence = 1
    for (let batch = 0; batch < 40; batch++) {
      const operations = Array.from({ length: 100 }, () => randomOperation(random, () => keyFamilies[batch % 2 === 0 ? 'digits' : 'longShared']!(random, 700)))
      const target = batch % 4 === 3 ? read : written
      expect(target.applyBytes(encodeBatch(sequence, operations), 65_536)).toBe(0)
      model.apply(sequence, operations)
      sequence += operations.length
    }
    for (const table of [written, read]) {
      compareScan(table, model, random, sequence, '', '', 'all')
      compareScan(table, model, random, sequence >> 1, tableKey(3).toString('latin1'), tableKey(4).toString('latin1'), 'half')
      for (const key of model.versions.keys()) expect(table.get(key, sequence)).toEqual(model.get(key, sequence))
    }
  })
})
