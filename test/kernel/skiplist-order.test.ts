/** Keys that wait for their place in the order: whatever is read, and however little memory there is, nobody notices. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel } from './both-kinds.ts'
import { encodeBatch, KernelMemtable, MemtableModel, tableKey } from './skiplist-model.ts'
import type { Entry, Operation } from './skiplist-model.ts'

const MiB = 1024 * 1024
/** Where the layout keeps how many keys wait: what is tested here must have happened. */
const waitingCountAt = 304
const waitingIn = ({ kernel: { memory }, table }: KernelMemtable): number => memory.u32[(table + waitingCountAt) >>> 2]!

const digits = (random: Random) => (): Buffer => tableKey(7, `key${String(random.below(1e9)).padStart(13, '0')}`)

const keyFamilies: Readonly<Record<string, (random: Random) => () => Buffer>> = {
  digits,
  bytes: (random) => () => tableKey(1 + random.below(2), Buffer.from(Uint32Array.of(random.nextU32(), random.nextU32()).buffer)),
  'keys that tie in eight bytes': (random) => () => tableKey(random.below(2) + 1, `${'x'.repeat(random.below(3))}${'shared by many'.repeat(random.below(3))}${random.below(1e6)}`),
  'keys that ascend, but for some': (random) => {
    let last = 1e8
    return () => tableKey(3, String((last += random.below(20) === 0 ? -random.below(400) : 1 + random.below(3))).padStart(12, '0'))
  },
}

function randomOperations(random: Random, key: () => Buffer, count: number): Operation[] {
  return Array.from({ length: count }, () => (random.below(20) === 0 ? { kind: 'delete', key: key() } : { kind: 'put', key: key(), value: Buffer.from(String(random.below(1e6))) }))
}

function readAll(table: KernelMemtable, sequence: number, backward: boolean): Entry[] {
  const cursor = table.seek('', backward), entries: Entry[] = []
  for (let page = table.read(cursor, sequence, '', 256); page.length > 0; page = table.read(cursor, sequence, '', 256)) entries.push(...page)
  return entries
}

/** A table in segments no larger than is asked for, each between bytes that nobody may write. */
class TightMemtable extends KernelMemtable {
  readonly #guards: number[] = []

  override applyBytes(batch: Uint8Array): number {
    const { exports, heap, memory } = this.kernel
    const at = this.place(batch)
    let answer = exports.skiplistApply(this.table, at, batch.length)
    if (answer > 0) {
      const segment = heap.allocate(answer + 64)
      memory.u8.fill(0xab, segment + answer, segment + answer + 64)
      this.#guards.push(segment + answer)
      exports.skiplistAddSegment(this.table, segment, answer)
      answer = exports.skiplistApply(this.table, at, batch.length)
    }
    heap.free(at)
    return answer
  }

  expectGuardsWhole(): void {
    for (const guard of this.#guards) expect(this.kernel.memory.u8.subarray(guard, guard + 64).every((byte) => byte === 0xab)).toBe(true)
  }
}

describe.each(kinds)('the late order of a memtable, %s', (kind) => {
  for (const [family, keyOf] of Object.entries(keyFamilies)) {
    it(`is that of the model for ${family}`, () => {
      for (let seed = 1; seed <= (fullTests ? 8 : 1); seed++) {
        const random = seededRandom(seed), kernel = openTestKernel(kind, 64 * MiB)
        const table = seed % 2 === 0 ? new TightMemtable(kernel) : new KernelMemtable(kernel, 65_536)
        expectAsModel(table, random, keyOf(random), `family ${family}, seed ${seed}`)
      }
    })
  }

  it('takes no memory beyond what was asked for', () => {
    const random = seededRandom(5), table = new TightMemtable(openTestKernel(kind, 64 * MiB))
    expectAsModel(table, random, digits(random), 'segments as asked for')
    table.expectGuardsWhole()
  })

  it('is that of the model for few keys at a time, and more, between reads in order', () => {
    const random = seededRandom(11), key = digits(random), table = new KernelMemtable(openTestKernel(kind, 64 * MiB), MiB), model = new MemtableModel()
    let sequence = 1
    const put = (count: number): void => {
      const operations = randomOperations(random, key, count)
      expect(table.applyBytes(encodeBatch(sequence, operations), MiB)).toBe(0)
      model.apply(sequence, operations)
      sequence += count
    }
    for (let batch = 0; batch < 10; batch++) put(1_000)
    for (let read = 0; read < 40; read++) {
      put(1 + random.below(250))
      const from = key().toString('latin1')
      table.read(table.seek(from, read % 2 === 0), sequence, '', 3)
      expect(waitingIn(table)).toBe(0)
    }
    expectOrder(table, model, sequence, 'between reads')
  })

  it('is there when it is asked for, and keeps cursors where they were', () => {
    const table = new KernelMemtable(openTestKernel(kind, 64 * MiB), MiB)
    const keys = Array.from({ length: 12_000 }, (_, i) => tableKey(1, String(i * 2_654_435_761 % 4_294_967_296).padStart(10, '0')))
    const put = (from: number, to: number): void => {
      for (let at = from; at < to; at += 500) expect(table.applyBytes(encodeBatch(at + 1, keys.slice(at, at + 500).map((key) => ({ kind: 'put', key, value: Buffer.from('v') }))), MiB)).toBe(0)
    }
    put(0, 10_000)
    const cursor = table.seek('', false)
    const first = table.read(cursor, 10_000, '', 200)
    put(10_000, 12_000)
    expect(waitingIn(table)).toBeGreaterThan(0)
    const sorted = keys.slice(0, 10_000).map((key) => key.toString('latin1')).sort()
    const next = table.read(cursor, 10_000, '', 200)
    expect([...first, ...next].map(([key]) => key)).toEqual(sorted.slice(0, 400))
    expect(waitingIn(table)).toBe(0)
    put(0, 500)
    table.kernel.exports.skiplistOrder(table.table)
    expect(waitingIn(table)).toBe(0)
    expect(readAll(table, 20_000, false).length).toBe(12_000)
  })
})

/** Random batches, with reads between them that some keys have to wait for, and some do not. */
function expectAsModel(table: KernelMemtable, random: Random, key: () => Buffer, label: string): void {
  const model = new MemtableModel(), known: string[] = []
  let sequence = 1, waited = 0
  for (let batch = 0; batch < 60; batch++) {
    const operations = randomOperations(random, key, 1 + random.below(random.below(4) === 0 ? 1500 : 300))
    expect(table.applyBytes(encodeBatch(sequence, operations), 512 * 1024), label).toBe(0)
    model.apply(sequence, operations)
    sequence += operations.length
    known.push(operations[0]!.key.toString('latin1'))
    waited = Math.max(waited, waitingIn(table))
    for (let probe = 0; probe < 10; probe++) {
      const probed = random.below(4) === 0 ? key().toString('latin1') : known[random.below(known.length)]!
      expect(table.get(probed, sequence), label).toEqual(model.get(probed, sequence))
    }
    if (batch % 20 === 19) expectOrder(table, model, sequence - random.below(300), label)
  }
  expectOrder(table, model, sequence, label)
  expect(waited, `${label}: some keys waited`).toBeGreaterThan(100)
}

function expectOrder(table: KernelMemtable, model: MemtableModel, sequence: number, label: string): void {
  const expected = model.scan(sequence, '', undefined)
  for (const backward of [false, true]) {
    const found = readAll(table, sequence, backward)
    if (backward) found.reverse()
    const differing = expected.findIndex(([key, value], i) => key !== found[i]?.[0] || value !== found[i]?.[1])
    if (differing >= 0) expect(found[differing], `${label}, ${backward ? 'backward' : 'forward'}, entry ${differing}`).toEqual(expected[differing])
    expect(found.length, label).toBe(expected.length)
  }
}

describe('the two kinds', () => {
  it('give keys that wait their places in the same steps', () => {
    const tables = kinds.map((kind) => new KernelMemtable(openTestKernel(kind, 64 * MiB), MiB))
    const random = seededRandom(3), key = digits(random)
    for (let batch = 0; batch < 40; batch++) {
      const bytes = encodeBatch(1 + 500 * batch, randomOperations(random, key, 500))
      for (const table of tables) expect(table.applyBytes(bytes, MiB)).toBe(0)
      expect(waitingIn(tables[0]!)).toBe(waitingIn(tables[1]!))
      expect(usedBytes(tables[0]!.kernel, tables[0]!.table)).toBe(usedBytes(tables[1]!.kernel, tables[1]!.table))
    }
    for (const { kernel, table } of tables) kernel.exports.skiplistOrder(table)
    const [ours, theirs] = tables.map((table) => readAll(table, 1e6, false))
    expect(ours).toEqual(theirs)
    expect(usedBytes(tables[0]!.kernel, tables[0]!.table)).toBe(usedBytes(tables[1]!.kernel, tables[1]!.table))
  })
})

const usedBytes = ({ exports }: Kernel, table: number): number => exports.skiplistUsedBytes(table)
