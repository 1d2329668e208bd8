/** Frames as bytes, and a reader that meets them cut anywhere, damaged, or made of chance. */
import { expect, test } from 'vitest'
import { encodeFrame } from '../../../src/cluster/transport/frame/frame.ts'
import type { Frame } from '../../../src/cluster/transport/frame/frame.ts'
import { createFrameReader } from '../../../src/cluster/transport/frame/frame-reader.ts'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 200_000 : 3_000
const seed = Number(process.env['LSMT_SEED'] ?? 1)
const bytesOf = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

function read(chunks: readonly Uint8Array[], payloadBytesMax = 1_000): (readonly [string, number, string])[] {
  const frames: Frame[] = []
  const reader = createFrameReader(() => payloadBytesMax, (frame) => frames.push({ ...frame, payload: Buffer.from(frame.payload) }))
  for (const chunk of chunks) reader.push(chunk)
  return frames.map(({ kind, call, payload }) => [kind, call, Buffer.from(payload).toString()])
}

test('the bytes of a frame never change', () => {
  const { parts, byteLength } = encodeFrame('request', 7, [Buffer.from('ab'), Buffer.from('c')])
  expect(bytesOf(parts).toString('hex')).toBe('43da57e0' + '03000000' + '07000000' + '07000000' + '616263')
  expect(byteLength).toBe(19)
})

test('frames are found wherever the bytes are cut', () => {
  const bytes = bytesOf([encodeFrame('message', 0, [Buffer.from('one')]), encodeFrame('end', 9, []), encodeFrame('answer', 0xffff_ffff, [Buffer.alloc(50, 'x')])].flatMap(({ parts }) => parts))
  const expected = [['message', 0, 'one'], ['end', 9, ''], ['answer', 0xffff_ffff, 'x'.repeat(50)]]
  for (let at = 0; at <= bytes.length; at++) expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected)
  expect(read(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(expected)
})

test('a large frame may come in small pieces', () => {
  const random = seededRandom(seed), payload = Buffer.from(Array.from({ length: 300_000 }, (_, i) => 97 + i % 26))
  const bytes = bytesOf([encodeFrame('message', 0, [payload]), encodeFrame('end', 1, [])].flatMap(({ parts }) => parts))
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length) pieces.push(bytes.subarray(at, at + 1 + random.below(3_000)))
  expect(read(pieces, payload.length)).toEqual([['message', 0, payload.toString()], ['end', 1, '']])
})

test('any changed bit is found', () => {
  const bytes = bytesOf(encodeFrame('message', 3, [Buffer.from('some payload')]).parts)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    let frames: unknown[] = []
    // A changed length may want more bytes than there are: so many come after it.
    try { frames = read([changed, Buffer.alloc(1_000)]) } catch (error) { expect(error).toMatchObject({ code: '08P01' }) }
    expect(frames, `bit ${bit}`).toEqual([])
  }
})

test('a frame that is too large is refused by its header', () => {
  const { parts } = encodeFrame('message', 0, [Buffer.alloc(1_001)])
  expect(() => read([parts[0]!])).toThrow('a frame (message) of 1001 bytes, where at most 1000 are allowed')
})

test(`bytes of chance are refused, or wait (seed ${seed})`, () => {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(60) }, () => random.below(random.below(2) === 0 ? 16 : 256)))
    try { expect(read([bytes])).toEqual([]) } catch (error) { if (!(error instanceof LsmtError)) throw error }
  }
})
