/**
 * Untrusted chunks: whatever the bytes are, once `columnValidate` says 0 no function may trap, hang, or touch memory
 * outside its buffers. The chunk stands at the very end of linear memory, so that a read behind it traps (or is
 * undefined in JavaScript), and once more between guards.
 */
import { describe, expect, it } from 'vitest'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { fullTests, kinds, openTestKernel } from './both-kinds.ts'
import { encodeNumbers, encodeTexts } from './column-chunks.ts'
import { doubleShapes, integerShapes, textShapes } from './column-data.ts'

const memoryBytes = 4 * 1024 * 1024
const guardBytes = 256
const writer = openTestKernel('wasm', 64 * 1024 * 1024)
const kernels: readonly Kernel[] = kinds.map((kind) => openKernel(kind, reserveLinearMemory(memoryBytes)))

/** Small chunks of every encoding, with and without nulls. */
function sampleChunks(): Map<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array>()
  const count = 1100
  for (const nullEvery of [0, 9]) {
    const nulls = Array.from({ length: count }, (_, row) => nullEvery !== 0 && row % nullEvery === 0)
    for (const shape of ['constant', 'smallDomain', 'gridWithJitter', 'timestamps', 'width47', 'randomBits']) chunks.set(`i64 ${shape} ${nullEvery}`, encodeNumbers(writer, 'I64', integerShapes[shape]!(seededRandom(1), count), nulls))
    for (const shape of ['prices', 'pricesWithSpecials', 'randomBits']) chunks.set(`f64 ${shape} ${nullEvery}`, encodeNumbers(writer, 'F64', doubleShapes[shape]!(seededRandom(1), count), nulls))
    for (const shape of ['constant', 'smallDomain', 'clustered', 'numbered', 'randomLengths']) chunks.set(`text ${shape} ${nullEvery}`, encodeTexts(writer, textShapes[shape]!(seededRandom(1), count), nulls))
  }
  return chunks
}

interface Arena {
  readonly out: Pointer
  readonly nulls: Pointer
  readonly scratch: Pointer
  readonly key: Pointer
  readonly chunkEnd: Pointer
}

const outBytes = 65_536 * 8, nullBytes = 8192, scratchBytesMax = 1024 * 1024

/** Fixed places with guards between them; the chunk ends with the memory. */
function arenaOf({ memory }: Kernel): Arena {
  const out = 131_072
  const nulls = out + outBytes + guardBytes
  const scratch = nulls + nullBytes + guardBytes
  return { out, nulls, scratch, key: scratch + scratchBytesMax + guardBytes, chunkEnd: memory.byteLength }
}

/** Puts the chunk, validates it and, if it is said to be well-formed, calls everything. Returns whether it was. */
function exercise(kernel: Kernel, bytes: Uint8Array, rows: readonly number[]): boolean {
  const { exports, memory } = kernel
  const arena = arenaOf(kernel)
  const chunk = arena.chunkEnd - bytes.length
  memory.u8.set(bytes, chunk)
  if (exports.columnValidate(chunk, bytes.length) !== 0) return false
  const count = exports.columnCount(chunk), scratchBytes = exports.columnDecodeScratchBytes(chunk)
  if (scratchBytes > scratchBytesMax) return true
  const nullMapBytes = Math.ceil(count / 64) * 8
  const edges: readonly Pointer[] = [arena.out - guardBytes, arena.out + count * 8, arena.nulls - guardBytes, arena.nulls + nullMapBytes, arena.scratch - guardBytes, arena.scratch + scratchBytes]
  for (const edge of edges) memory.u8.fill(0x5a, edge, edge + guardBytes)
  exports.columnDecodeI64(chunk, 0, count, arena.out, arena.nulls)
  exports.columnDecodeF64(chunk, 0, count, arena.out, arena.nulls)
  const text = exports.columnDecodeBytes(chunk, 0, count, arena.out, arena.nulls, arena.scratch)
  if (text >= 0) checkRefs(kernel, arena, chunk, bytes.length, count, scratchBytes)
  exports.columnLowerBoundI64(chunk, arena.key)
  exports.columnLowerBoundBytes(chunk, arena.key, 8, arena.scratch)
  for (const row of rows.filter((row) => row < count)) {
    exports.columnGetI64(chunk, row, arena.out)
    exports.columnGetF64(chunk, row, arena.out)
    if (exports.columnGetBytes(chunk, row, arena.out, arena.scratch) > 0) checkRefs(kernel, arena, chunk, bytes.length, 1, scratchBytes)
  }
  for (const edge of edges) expect(memory.u8.subarray(edge, edge + guardBytes).every((byte) => byte === 0x5a), 'wrote outside its buffers').toBe(true)
  expect(Buffer.compare(memory.u8.subarray(chunk, arena.chunkEnd), bytes), 'changed the chunk').toBe(0)
  return true
}

/** Every ref lies in the chunk or in scratch. */
function checkRefs({ memory }: Kernel, arena: Arena, chunk: Pointer, chunkBytes: number, count: number, scratchBytes: number): void {
  for (let i = 0; i < count; i++) {
    const address = memory.u32[arena.out / 4 + 2 * i]!, byteLength = memory.u32[arena.out / 4 + 2 * i + 1]!
    const inside = (start: Pointer, bytes: number): boolean => address >= start && address + byteLength <= start + bytes
    if (byteLength !== 0 && !inside(chunk, chunkBytes) && !inside(arena.scratch, scratchBytes)) expect.fail(`row ${i}: ref ${address} + ${byteLength} is in neither chunk nor scratch`)
  }
}

const someRows = [0, 1, 8, 127, 128, 511, 1023, 1024, 1099]

describe('chunks as they were written', () => {
  it('validate, and every truncation of them is refused', () => {
    for (const [name, chunk] of sampleChunks()) {
      for (const kernel of kernels) {
        expect(exercise(kernel, chunk, someRows), name).toBe(true)
        for (let bytes = 0; bytes < chunk.length; bytes += bytes < 200 ? 1 : 97) expect(exercise(kernel, chunk.subarray(0, bytes & ~7), someRows), `${name} cut to ${bytes & ~7}`).toBe(false)
      }
    }
  })
})

describe('damaged chunks', () => {
  for (const kernel of kernels) {
    for (const [name, chunk] of sampleChunks()) {
      it(`of ${name} stay inside their buffers (${kernel.kind})`, () => {
        const random = seededRandom(chunk.length)
        let accepted = 0
        const attempt = (damage: (copy: Uint8Array) => void): void => {
          const copy = chunk.slice()
          damage(copy)
          if (exercise(kernel, copy, someRows.slice(0, 4))) accepted++
        }
        const structured = Math.min(chunk.length, 400)
        for (let at = 0; at < structured; at++) {
          for (const flip of [1, 0x80, 0xff]) attempt((copy) => { copy[at]! ^= flip })
        }
        for (let round = 0; round < (fullTests ? 5000 : 250); round++) {
          attempt((copy) => { for (let k = random.below(4); k >= 0; k--) copy[random.below(copy.length)] = random.below(256) })
          attempt((copy) => { copy[random.below(structured)] = [0, 1, 31, 32, 33, 63, 64, 65, 127, 255][random.below(10)]! })
        }
        expect(accepted, 'some damage leaves a chunk readable').toBeGreaterThan(0)
      })
    }
  }

  it('of random bytes with a plausible header are refused or stay inside', () => {
    const random = seededRandom(9)
    for (let round = 0; round < (fullTests ? 200_000 : 5000); round++) {
      const bytes = Uint8Array.from({ length: 8 * (6 + random.below(60)) }, () => (random.below(3) === 0 ? 0 : random.below(256)))
      const view = new DataView(bytes.buffer)
      bytes[0] = [1, 2, 3, 4, 5, 6, 16, 17, 18, 19, 20][random.below(11)]!
      bytes[1] = bytes[0] < 6 ? 1 : bytes[0] === 6 ? 2 : 3
      bytes[2] = random.below(2)
      bytes[3] = random.below(17)
      view.setUint32(4, random.below(200), true)
      view.setUint32(8, bytes.length, true)
      view.setUint32(12, bytes[2] === 0 ? 0 : 48, true)
      for (const field of [16, 20, 24, 36, 44]) view.setUint32(field, 48 + 8 * random.below(8), true)
      for (const field of [28, 32, 40]) view.setUint32(field, random.below(20), true)
      for (const kernel of kernels) exercise(kernel, bytes, [0, 1, 100])
    }
  })
})

/** One kind looks at the line of texts of one length, the other at each of its points. */
it('texts of one length are judged alike by both kinds, whatever their line', () => {
  const random = seededRandom(9), texts = Array.from({ length: 1100 }, (_, i) => new Uint8Array(Buffer.from(String(i * 7919).padStart(12, '0'))))
  const chunk = encodeTexts(writer, texts, texts.map(() => false)), directory = Buffer.from(chunk).readUInt32LE(16)
  const statuses = new Set<number>()
  for (let round = 0; round < 2000; round++) {
    const forged = Buffer.from(chunk), entry = directory + 32 * random.below(2)
    expect(forged[entry + 28], 'packed bits').toBe(0)
    const change = [0, 1, 12, 2 ** 31, 2 ** 32 - 1, random.nextU32(), random.nextU32() >>> random.below(32)][random.below(7)]!
    if (round % 3 === 0) forged.writeUInt32LE(change, entry)
    if (round % 3 === 1) forged.writeUInt32LE(change, entry + 8)
    if (round % 3 === 2) forged.writeUInt16LE(change & 0xffff, entry + 24)
    if (random.below(2) === 0) forged.writeUInt32LE([1, 12, random.nextU32()][random.below(3)]!, entry + 8)
    const [wasm, js] = kernels.map(({ exports, memory }) => {
      memory.u8.set(forged, 131_072)
      return exports.columnValidate(131_072, forged.length)
    })
    expect(wasm, `round ${round}`).toBe(js)
    statuses.add(wasm!)
  }
  expect(statuses.size).toBeGreaterThan(2)
})
