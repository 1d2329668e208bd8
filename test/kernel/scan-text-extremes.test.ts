/** Least and greatest text by group from dictionary codes, over several chunks, against the texts themselves. */
import { describe, expect, it } from 'vitest'
import { codeRangeBytes, noCode } from '../../src/kernel/scan.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, putRefs } from './both-kinds.ts'

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

function grouped(kernel: Kernel, chunks: readonly Chunk[]): ReturnType<typeof naive> {
  const { exports, heap, memory: { u32, f64, buffer } } = kernel
  const ranges = heap.allocate(codeRangeBytes * groupCount), bests = [0, 1].map(() => putU32(kernel, Array.from({ length: 2 * groupCount }, () => 0)))
  for (let group = 0; group < groupCount; group++) u32.set([0, 0, noCode, 0], ranges / 4 + 4 * group)
  for (const { texts, groups, codes, selected } of chunks) {
    const refs = putRefs(kernel, texts.map((text) => Buffer.from(text))), touched = heap.allocate(4 * codes.length + 4), winners = heap.allocate(4 * codes.length + 4)
    const touchedCount = exports.scanGroupedCodes(putU32(kernel, groups), putU32(kernel, codes), texts.length, selected === undefined ? 0 : putBits(kernel, selected), codes.length, ranges, touched)
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

describe.each(kinds)('text extremes by group (%s)', (kind) => {
  it.each([1, 2, 3, 4, 5])('are those of the selected rows of all chunks (seed %i)', (seed) => {
    const chunks = randomChunks(seed)
    expect(grouped(openTestKernel(kind), chunks)).toEqual(naive(chunks))
  })
})
