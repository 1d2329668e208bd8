/**
 * The chunk layout as a file format: chunks written once, one of each encoding, are read for ever. Writers may learn to
 * choose better (then rewrite the file with LSMT_UPDATE_GOLDEN=1 and review the difference); readers may not forget.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kinds, openTestKernel } from './both-kinds.ts'
import { decodeNumbers, decodeTexts, encodeNumbers, encodeTexts, withChunk } from './column-chunks.ts'
import { bitsOfDouble } from './column-data.ts'

const goldenFile = new URL('../golden/column-chunks.txt', import.meta.url)
const times = <T>(count: number, value: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => value(i))
const everySeventh = (count: number): boolean[] => times(count, (i) => i % 7 === 3)
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

/** `isOld`: what writers now write otherwise. */
type Sample =
  | { readonly name: string; readonly encoding: number; readonly kind: 'I64' | 'F64'; readonly values: readonly bigint[]; readonly nulls: readonly boolean[]; readonly isOld?: boolean }
  | { readonly name: string; readonly encoding: number; readonly kind: 'Bytes'; readonly values: readonly Uint8Array[]; readonly nulls: readonly boolean[]; readonly isOld?: boolean }

/** No chance in here: what is encoded is part of the format's test. */
const samples: readonly Sample[] = [
  { name: 'constant', encoding: 1, kind: 'I64', values: times(9, () => -7n), nulls: everySeventh(9) },
  { name: 'plain', encoding: 2, kind: 'I64', values: [2n ** 63n - 1n, -(2n ** 63n), 0n, 12345n], nulls: times(4, () => false) },
  { name: 'frame', encoding: 3, kind: 'I64', values: times(40, (i) => BigInt((i * 37) % 101) - 50n), nulls: everySeventh(40) },
  { name: 'frame-wide', encoding: 3, kind: 'I64', values: times(40, (i) => BigInt((i * 37) % 101) * 2n ** 33n), nulls: times(40, () => false) },
  { name: 'linear', encoding: 4, kind: 'I64', values: times(1030, (i) => 10n ** 15n + 333n * BigInt(i) + BigInt((i * 5) % 3)), nulls: times(1030, () => false), isOld: true },
  { name: 'linear-squares', encoding: 4, kind: 'I64', values: times(1030, (i) => 10n ** 15n + 333n * BigInt(i) + BigInt((i * i) % 7)), nulls: times(1030, () => false) },
  { name: 'delta', encoding: 5, kind: 'I64', values: times(300, (i) => BigInt(i * i * i)), nulls: times(300, () => false), isOld: true },
  { name: 'delta-of-ones', encoding: 5, kind: 'I64', values: times(300, (i) => BigInt(i * i * i + (i >> 1))), nulls: times(300, () => false) },
  { name: 'stepped-delta', encoding: 7, kind: 'I64', values: times(300, (i) => BigInt(i * i * i)), nulls: times(300, () => false) },
  { name: 'decimal', encoding: 6, kind: 'F64', values: times(40, (i) => bitsOfDouble(i === 5 ? -0 : i === 20 ? Infinity : ((i * 37) % 101) / 100)), nulls: everySeventh(40) },
  { name: 'decimal-thousands', encoding: 6, kind: 'F64', values: times(40, (i) => bitsOfDouble(((i * 37) % 101) * 1000)), nulls: times(40, () => false) },
  { name: 'text-constant', encoding: 16, kind: 'Bytes', values: times(9, () => text('Zürich')), nulls: everySeventh(9) },
  { name: 'text-plain', encoding: 17, kind: 'Bytes', values: times(20, (i) => text('abcdefghijklmnopqrstuvwxyz'.slice(i, i + (i % 5)))), nulls: everySeventh(20) },
  { name: 'text-dictionary', encoding: 18, kind: 'Bytes', values: times(60, (i) => text(['Zug', 'Bern', 'Genève'][(i * 5) % 3]!)), nulls: everySeventh(60) },
  { name: 'text-runs', encoding: 19, kind: 'Bytes', values: times(300, (i) => text(`part ${Math.floor(i / 60)}`)), nulls: times(300, () => false) },
  { name: 'text-lz', encoding: 20, kind: 'Bytes', values: times(400, (i) => text(`https://example.org/item/${i * 7919}`)), nulls: everySeventh(400), isOld: true },
  { name: 'text-lz-with-sums', encoding: 20, kind: 'Bytes', values: times(400, (i) => text(`https://example.org/item/${i * 7919}`)), nulls: everySeventh(400) },
]

const kernels = kinds.map((kind) => openTestKernel(kind))
const encode = (sample: Sample): Uint8Array => (sample.kind === 'Bytes' ? encodeTexts(kernels[0]!, sample.values, sample.nulls) : encodeNumbers(kernels[0]!, sample.kind, sample.values, sample.nulls))

const readGolden = () => new Map(readFileSync(goldenFile, 'utf8').trim().split('\n').map((line) => line.split(' ')).map(([name, encoding, hex]) => [name!, { encoding: Number(encoding), hex: hex! }]))
if (process.env['LSMT_UPDATE_GOLDEN'] === '1') {
  const before = readGolden()
  writeFileSync(goldenFile, samples.map((sample) => `${sample.name} ${sample.encoding} ${sample.isOld === true ? before.get(sample.name)!.hex : hexOf(encode(sample))}\n`).join(''))
}
const golden = readGolden()

describe('chunks written before', () => {
  it.each(samples)('$name are read', (sample) => {
    const { encoding, hex } = golden.get(sample.name)!
    expect(encoding).toBe(sample.encoding)
    for (const kernel of kernels) {
      withChunk(kernel, new Uint8Array(Buffer.from(hex, 'hex')), (address) => {
        expect(kernel.exports.columnEncoding(address)).toBe(encoding)
        const decoded = sample.kind === 'Bytes' ? decodeTexts(kernel, address, 0, sample.values.length) : decodeNumbers(kernel, sample.kind, address, 0, sample.values.length)
        const empty = sample.kind === 'Bytes' ? new Uint8Array(0) : 0n
        expect(decoded.nulls).toEqual(sample.nulls)
        expect(decoded.values).toEqual(sample.values.map((value, i) => (sample.nulls[i]! ? empty : value)))
      })
    }
  })

  it.each(samples.filter(({ isOld }) => isOld !== true))('$name are written the same', (sample) => {
    expect(hexOf(encode(sample))).toBe(golden.get(sample.name)!.hex)
  })
})
