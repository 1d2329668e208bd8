/** A chunk of compressed text as a plain one: the same rows, read without scratch, equal bytes from both kinds. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, takeBytes } from './both-kinds.ts'
import { decodeTexts, encodeTexts, guarded, scoped, withChunk } from './column-chunks.ts'
import { nullShapes, textShapes } from './column-data.ts'

const kernels = kinds.map((kind) => openTestKernel(kind))
const plainEncoding = 17, lzEncoding = 20

/** What each kernel makes of a chunk; undefined where it refuses. */
function expandAll(chunk: Uint8Array, label: string): (Uint8Array | undefined)[] {
  return kernels.map((outer) => withChunk(outer, chunk, (address) => scoped(outer, (kernel) => {
    const { exports } = kernel, out = guarded(kernel, exports.columnExpandedBytes(address))
    const byteLength = exports.columnExpand(address, out.address)
    out.check(label)
    if (byteLength === 0) return undefined
    expect(byteLength, label).toBe(exports.columnExpandedBytes(address))
    return takeBytes(kernel, out.address, byteLength)
  })))
}

/** A comparison by `expect` would take seconds. */
const areEqual = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
const joined = (values: readonly Uint8Array[]): string => values.map((value) => Buffer.from(value).toString('latin1')).join('\u{1f}')

describe('expanded chunks', () => {
  it('have the rows of the compressed ones', () => {
    let compressed = 0
    for (const [shape, generate] of Object.entries(textShapes)) for (const [nullShape, isNull] of Object.entries(nullShapes)) for (const count of [40, 1025, 2100]) {
      const random = seededRandom(count), values = generate(random, count), nulls = values.map((_, row) => isNull(random, row))
      const chunk = encodeTexts(kernels[0]!, values, nulls), label = `${shape} × ${count}, nulls ${nullShape}`
      const expanded = expandAll(chunk, label)
      expect(areEqual(expanded[0], expanded[1]), label).toBe(true)
      expect(expanded[0] === undefined, label).toBe(chunk[0] !== lzEncoding)
      if (expanded[0] === undefined) continue
      compressed++
      for (const kernel of kernels) {
        const before = withChunk(kernel, chunk, (address) => decodeTexts(kernel, address, 0, count))
        withChunk(kernel, expanded[0], (address) => {
          const { exports } = kernel
          expect([exports.columnValidate(address, expanded[0]!.length), exports.columnEncoding(address), exports.columnDecodeScratchBytes(address), exports.columnExpandedBytes(address)], label).toEqual([0, plainEncoding, 0, 0])
          const after = decodeTexts(kernel, address, 0, count)
          expect(after.nulls, label).toEqual(before.nulls)
          expect(joined(after.values) === joined(before.values), label).toBe(true)
        })
      }
    }
    expect(compressed).toBeGreaterThan(5)
  })

  it('are refused where the text is malformed, whatever its bytes', () => {
    const random = seededRandom(3), values = textShapes['numbered']!(random, 2000)
    const chunk = encodeTexts(kernels[0]!, values, values.map(() => false)), textOffset = Buffer.from(chunk).readUInt32LE(24)
    expect(chunk[0]).toBe(lzEncoding)
    let refused = 0
    for (let round = 0; round < 100; round++) {
      const damaged = Uint8Array.from(chunk)
      damaged[textOffset + random.below(damaged.length - textOffset)]! ^= 1 + random.below(255)
      const expanded = expandAll(damaged, `round ${round}`)
      expect(areEqual(expanded[0], expanded[1]), `round ${round}`).toBe(true)
      if (expanded[0] === undefined) refused++
    }
    expect(refused).toBeGreaterThan(10)
  })
})
