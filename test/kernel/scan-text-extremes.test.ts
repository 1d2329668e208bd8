/** Least and greatest text by group from dictionary codes and from vectors, over several chunks, against the texts themselves. */
import { describe, expect, it } from 'vitest'
import { codeCellsScratchBytes, codeRangeBytes, noCode } from '../../src/kernel/scan.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, putRefs } from './both-kinds.ts'
import { putChunk } from './scan-columns.ts'

const groupCount = 7

interface Chunk {
  readonly texts: readonly string[]
  readonly groups: readonly number[]
  /** Of `texts`; their number stands for NULL. */
  readonly codes: readonly number[]
  readonly selected: readonly boolean[] | undefined
}

function randomChunks(seed: number): Chunk[] {
  const random = seededRandom(seed)
  return Array.from({ length: 6 }, (_, chunk) => {
    const count = random.below(200)
    const texts = [...new Set(Array.from({ length: 1 + random.below(9) }, () => 'prefix of eight and '.slice(0, random.below(20)) + String.fromCharCode(97 + random.below(26))))].toSorted()
    return {
      texts,
      groups: Array.from({ length: count }, () => random.below(groupCount - 1)),
      codes: Array.from({ length: count }, () => random.below(texts.length + 1)),
      selected: chunk % 2 === 0 ? undefined : Array.from({ length: count }, () => random.below(3) === 0),
    }
  })
}

/** Count, least and greatest text of each group. */
function naive(chunks: readonly Chunk[]): (readonly [number, string | undefined, string | undefined])[] {
  return Array.from({ length: groupCount }, (_, group) => {
    const texts = chunks.flatMap((chunk) => chunk.codes.filter((code, row) => code < chunk.texts.length && chunk.groups[row] === group && (chunk.selected?.[row] ?? true)).map((code) => chunk.texts[code]!)).toSorted()
    return [texts.length, texts[0], texts.at(-1)]
  })
}

function putU32({ heap, memory }: Kernel, numbers: readonly number[]): number {
  const address = heap.allocate(4 * numbers.length + 4)
  memory.u32.set(numbers, address / 4)
  return address
}

/** Rows as the kernels take them: by codes of texts, or as texts. */
interface Taken {
  /** Of the codes that ranges have. */
  readonly refs: number
  take(selection: number, ranges: number, touched: number): number
}

function byCodes(kernel: Kernel, { texts, groups, codes }: Chunk): Taken {
  const refs = putRefs(kernel, texts.map((text) => Buffer.from(text))), groupsAt = putU32(kernel, groups), codesAt = putU32(kernel, codes)
  return { refs, take: (selection, ranges, touched) => kernel.exports.scanGroupedCodes(groupsAt, codesAt, texts.length, selection, codes.length, ranges, touched) }
}

function byTexts(kernel: Kernel, { texts, groups, codes }: Chunk): Taken {
  const refs = putRefs(kernel, codes.map((code) => Buffer.from(texts[code] ?? ''))), groupsAt = putU32(kernel, groups)
  const nulls = codes.includes(texts.length) ? putBits(kernel, codes.map((code) => code === texts.length)) : 0
  return { refs, take: (selection, ranges, touched) => kernel.exports.scanGroupedTexts(groupsAt, refs, nulls, selection, codes.length, ranges, touched) }
}

function grouped(kernel: Kernel, chunks: readonly Chunk[], takenBy: (kernel: Kernel, chunk: Chunk) => Taken): ReturnType<typeof naive> {
  const { exports, heap, memory: { u32, f64, buffer } } = kernel
  const ranges = heap.allocate(codeRangeBytes * groupCount), bests = [0, 1].map(() => putU32(kernel, Array.from({ length: 2 * groupCount }, () => 0)))
  for (let group = 0; group < groupCount; group++) u32.set([0, 0, noCode, 0], ranges / 4 + 4 * group)
  for (const chunk of chunks) {
    const { codes, selected } = chunk, { refs, take } = takenBy(kernel, chunk), touched = heap.allocate(4 * codes.length + 4), winners = heap.allocate(4 * codes.length + 4)
    const touchedCount = take(selected === undefined ? 0 : putBits(kernel, selected), ranges, touched)
    for (const greatest of [0, 1] as const) {
      const winnerCount = exports.scanGroupedCodesBeat(touched, touchedCount, ranges, greatest, refs, bests[greatest]!, winners)
      for (const group of u32.slice(winners / 4, winners / 4 + winnerCount)) {
        const code = u32[ranges / 4 + 4 * group + 2 + greatest]!
        u32.copyWithin(bests[greatest]! / 4 + 2 * group, refs / 4 + 2 * code, refs / 4 + 2 * code + 2)
      }
    }
    exports.scanGroupedCodesReset(touched, touchedCount, ranges)
  }
  const textOf = (ref: number): string | undefined => (u32[ref / 4] === 0 ? undefined : buffer.toString('latin1', u32[ref / 4], u32[ref / 4]! + u32[ref / 4 + 1]!))
  return Array.from({ length: groupCount }, (_, group) => [f64[ranges / 8 + 2 * group]!, textOf(bests[0]! + 8 * group), textOf(bests[1]! + 8 * group)])
}

/** Of rows that are given by the dictionary codes of two chunks; entry e of the keys is group e / 2. */
function byEntry(kernel: Kernel, { keys, texts, selected }: Encoded): { readonly status: number; readonly touched: readonly number[]; readonly ranges: readonly (readonly number[])[] } {
  const { exports, heap, memory: { u32, f64 } } = kernel
  const chunks = [keys, texts].map((rows) => putChunk(kernel, { kind: 'bytes', rows: rows.map((text) => (text === null ? null : Buffer.from(text))) })), entries = Math.max(1, exports.scanGroupsEntryCount(chunks[0]!))
  const rangesAt = heap.allocate(codeRangeBytes * entries), touched = heap.allocate(4 * keys.length)
  for (let group = 0; group < entries; group++) u32.set([0, 0, noCode, 0], rangesAt / 4 + 4 * group)
  const map = putU32(kernel, Array.from({ length: entries }, (_, entry) => entry >> 1))
  const status = exports.scanGroupedCodesByEntry(chunks[0]!, map, chunks[1]!, selected === undefined ? 0 : putBits(kernel, selected), rangesAt, touched, heap.allocate(codeCellsScratchBytes))
  const ranges = Array.from({ length: entries }, (_, group) => [f64[rangesAt / 8 + 2 * group]!, u32[rangesAt / 4 + 4 * group + 2]!, u32[rangesAt / 4 + 4 * group + 3]!])
  return { status, touched: [...u32.subarray(touched / 4, touched / 4 + Math.max(0, status))], ranges }
}

interface Encoded {
  readonly keys: readonly (string | null)[]
  readonly texts: readonly (string | null)[]
  readonly selected?: readonly boolean[] | undefined
}

function randomEncoded(count: number, keyCount: number, textCount: number, isSelected: boolean): Encoded {
  const random = seededRandom(count + keyCount)
  const text = (prefix: string, of: number): string => `${prefix} ${String(random.below(of)).padStart(4, '0')}`
  return { keys: Array.from({ length: count }, () => text('key', keyCount)), texts: Array.from({ length: count }, () => text('text', textCount)), selected: isSelected ? Array.from({ length: count }, () => random.below(5) === 0) : undefined }
}

describe.each(kinds)('codes of two chunks (%s)', (kind) => {
  it.each([[1000, 9, 5], [1024, 40, 5], [2151, 50, 60], [3000, 3, 2]])('give each group what its rows have (%i rows, %i keys, %i texts)', (count, keyCount, textCount) => {
    for (const isSelected of [false, true]) {
      const rows = randomEncoded(count, keyCount, textCount, isSelected), { keys, texts, selected } = rows
      const { status, touched, ranges } = byEntry(openTestKernel(kind), rows)
      const keyTexts = [...new Set(keys as string[])].toSorted(), valueTexts = [...new Set(texts as string[])].toSorted()
      const expected = ranges.map((_, group) => {
        const codes = texts.flatMap((text, row) => (keyTexts.indexOf(keys[row]!) >> 1 === group && selected?.[row] !== false ? [valueTexts.indexOf(text!)] : []))
        return codes.length === 0 ? [0, noCode, 0] : [codes.length, Math.min(...codes), Math.max(...codes)]
      })
      expect(ranges).toEqual(expected)
      expect(status).toBe(touched.length)
      expect(touched).toEqual(expected.flatMap(([rowCount], group) => (rowCount! > 0 ? [group] : [])))
    }
  })

  it.each([
    ['nulls among the keys', ({ keys, texts }: Encoded): Encoded => ({ keys: keys.with(7, null), texts })],
    ['nulls among the texts', ({ keys, texts }: Encoded): Encoded => ({ keys, texts: texts.with(7, null) })],
    ['texts without a dictionary', ({ keys, texts }: Encoded): Encoded => ({ keys, texts: texts.map((_, row) => `text ${row}`) })],
    ['one key alone', ({ keys, texts }: Encoded): Encoded => ({ keys: keys.map(() => 'one'), texts })],
    ['too many pairs', (): Encoded => randomEncoded(3000, 130, 130, false)],
  ])('refuse %s', (_, change) => {
    const { status, ranges } = byEntry(openTestKernel(kind), change(randomEncoded(3000, 9, 5, false)))
    expect(status).toBe(-1)
    expect(ranges.every(([rowCount]) => rowCount === 0)).toBe(true)
  })
})

describe.each(kinds)('text extremes by group (%s)', (kind) => {
  it.each([1, 2, 3, 4, 5])('are those of the selected rows of all chunks (seed %i)', (seed) => {
    const chunks = randomChunks(seed), expected = naive(chunks)
    expect(grouped(openTestKernel(kind), chunks, byCodes)).toEqual(expected)
    expect(grouped(openTestKernel(kind), chunks, byTexts)).toEqual(expected)
    // What was found of one chunk is compared with that of another, whichever way it came.
    expect(grouped(openTestKernel(kind), chunks, (kernel, chunk) => (chunks.indexOf(chunk) % 3 === 0 ? byTexts : byCodes)(kernel, chunk))).toEqual(expected)
  })
})
