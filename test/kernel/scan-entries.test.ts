/** Dictionaries of text chunks: known again, and rows chosen by their entries, against the texts themselves. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { entriesScratchBytes } from '../../src/kernel/scan.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, takeBits } from './both-kinds.ts'
import { putChunk } from './scan-columns.ts'
import type { Column } from './scan-columns.ts'

const counts = [0, 1, 3, 63, 64, 65, 200, 1025, 4999]
const capacity = 4096

function textColumn(texts: readonly (string | null)[]): Column {
  return { kind: 'bytes', rows: texts.map((text) => (text === null ? null : Buffer.from(text))) }
}

/** The chunk's entries as texts, by code; undefined without a dictionary. */
function entriesOf({ exports, heap, memory: { u32, buffer } }: Kernel, chunk: Pointer): readonly string[] | undefined {
  const count = exports.scanGroupsEntryCount(chunk)
  if (count < 0) return undefined
  const refs = heap.allocate(8 * (count + 1)), nulls = heap.allocate(Math.ceil((count + 1) / 64) * 8)
  exports.scanGroupsEntries(chunk, refs, nulls)
  return Array.from({ length: count }, (_, code) => {
    const at = u32[refs / 4 + 2 * code]!
    return buffer.toString('utf8', at, at + u32[refs / 4 + 2 * code + 1]!)
  })
}

describe.each(kinds)('entries of dictionaries, %s', (kind) => {
  it('chooses rows by what holds of their entries, and of null', () => {
    const random = seededRandom(31)
    for (const count of counts) for (const textCount of [1, 2, 5, 50, 128, 129, 256, 300]) for (const form of ['mixed', 'with nulls', 'in runs'] as const) {
      const kernel = openTestKernel(kind, 1 << 21), { exports, heap } = kernel
      const texts = Array.from({ length: count }, (_, row) => (form === 'with nulls' && random.below(4) === 0 ? null : `text ${form === 'in runs' ? (row >> 5) % textCount : random.below(textCount)}`))
      const chunk = putChunk(kernel, textColumn(texts)), entries = entriesOf(kernel, chunk)
      const selected = texts.map((_, row) => (row >> 6) % 4 !== 2 && random.below(3) > 0), out = heap.allocate(Math.ceil(count / 64) * 8)
      const holds = Array.from({ length: Math.max(256, (entries?.length ?? 0) + 1) }, () => random.below(2) === 0)
      const outcome = exports.scanEntriesSelect(chunk, putBits(kernel, holds), putBits(kernel, selected), out, heap.allocate(entriesScratchBytes))
      expect(outcome).toBe(entries === undefined ? -1 : 0)
      if (entries === undefined) continue
      const expected = texts.map((text, row) => selected[row]! && holds[text === null ? entries.length : entries.indexOf(text)]!)
      const whole = Math.ceil(count / 64) * 64
      expect(takeBits(kernel, out, whole), `${count} rows, ${textCount} texts ${form}`).toEqual(Array.from({ length: whole }, (_, row) => expected[row] ?? false))
    }
  })

  it('knows the entries of the last chunk again, whatever rows have them', () => {
    const random = seededRandom(32), kernel = openTestKernel(kind, 1 << 26), { exports, heap, memory } = kernel
    const known = heap.allocate(capacity)
    memory.u32[known / 4] = 0
    let last: string | undefined
    for (let round = 0; round < 300; round++) {
      const texts = [['a', 'b'], ['a', 'bc'], ['ab', 'c'], ['a'], ['b'], ['same'], ['a', 'b', ''], ['x'.repeat(7), 'x'.repeat(8)], ['y'.repeat(900), 'z'.repeat(3500)]][random.below(9)]!
      const isEach = random.below(2) === 0, count = 40 + random.below(100)
      const chunk = putChunk(kernel, textColumn(Array.from({ length: count }, (_, row) => (random.below(9) === 0 ? null : texts[isEach ? row % texts.length : row < 20 ? 0 : texts.length - 1]!))))
      const entries = entriesOf(kernel, chunk), isConstant = memory.u8[chunk] === 16
      const name = entries && JSON.stringify([isConstant, ...entries]), isHeld = entries !== undefined && !entries.some((text) => text.length > 3000)
      expect(exports.scanEntriesKnown(chunk, known, capacity), name).toBe(!isHeld ? -1 : name === last ? 1 : 0)
      if (entries !== undefined) last = isHeld ? name : undefined
    }
  })

  it('has neither for chunks of other kinds', () => {
    const kernel = openTestKernel(kind, 1 << 20), { exports, heap } = kernel
    const chunk = putChunk(kernel, { kind: 'i64', rows: [1n, 2n] }), bits = putBits(kernel, Array.from({ length: 256 }, () => true))
    expect(exports.scanEntriesSelect(chunk, bits, bits, heap.allocate(8), heap.allocate(entriesScratchBytes))).toBe(-1)
    expect(exports.scanEntriesKnown(chunk, bits, capacity)).toBe(-1)
  })
})
