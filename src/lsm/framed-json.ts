/**
 * Small objects as bytes, all of one frame: a checksum says that they are the ones written, what reads them checks the
 * shape of the JSON in it.
 *
 *   0  magic, 8 letters   8  u16 version   10  u16 checksum algorithm (1 = xxh64)   12  u32 body bytes
 *  16  u64 xxh64 of the 16 bytes before and the body   24  body, UTF-8 JSON
 *
 * Little-endian. Never change this layout.
 */
import { corruption, LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'

export interface Frame {
  /** What it is, for messages: 'claim'. */
  readonly what: string
  readonly magic: string
  readonly version: number
}

const algorithmXxh64 = 1
const headerBytes = 24
const checksumAt = 16

export function encodeFramed(kernel: Kernel, { magic, version }: Frame, value: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(value), 'utf8')
  const file = Buffer.alloc(headerBytes + body.length)
  file.write(magic, 'latin1')
  file.writeUInt16LE(version, 8)
  file.writeUInt16LE(algorithmXxh64, 10)
  file.writeUInt32LE(body.length, 12)
  file.set(body, headerBytes)
  file.set(framedChecksum(kernel, file), checksumAt)
  return file
}

/** The JSON in the bytes of `name`; XX001 when they are damaged, XX002 when another version wrote them. */
export function decodeFramed(kernel: Kernel, { what, magic, version }: Frame, bytes: Uint8Array, name: string): unknown {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const broken = (expected: string, actual: string): LsmtError => corruption(what, { file: name, expected, actual })
  if (file.length < headerBytes) throw broken(`at least ${headerBytes} bytes`, `${file.length}`)
  if (file.toString('latin1', 0, 8) !== magic) throw broken(`magic ${magic}`, JSON.stringify(file.toString('latin1', 0, 8)))
  const expected = file.subarray(checksumAt, headerBytes)
  const actual = framedChecksum(kernel, file)
  if (!expected.equals(actual)) throw broken(`xxh64 ${expected.toString('hex')}`, `xxh64 ${actual.toString('hex')}`)
  if (file.readUInt16LE(8) !== version || file.readUInt16LE(10) !== algorithmXxh64) {
    throw new LsmtError('XX002', `${name} has ${what} format ${file.readUInt16LE(8)} (checksum algorithm ${file.readUInt16LE(10)}); this version of lsmt reads ${version} (${algorithmXxh64})`, { file: name })
  }
  if (file.readUInt32LE(12) !== file.length - headerBytes) throw broken(`${file.readUInt32LE(12)} body bytes`, `${file.length - headerBytes}`)
  try {
    return JSON.parse(file.toString('utf8', headerBytes))
  } catch (cause) {
    throw broken('JSON', (cause as Error).message)
  }
}

/** xxh64 of the 16 bytes before the checksum and of the body. */
export function framedChecksum({ heap, memory, exports }: Kernel, file: Buffer): Buffer {
  const byteLength = file.length - 8
  const out = (byteLength + 7) & ~7
  const scratch = heap.allocate(out + 8)
  try {
    memory.u8.set(file.subarray(0, checksumAt), scratch)
    memory.u8.set(file.subarray(headerBytes), scratch + checksumAt)
    exports.checksumXxh64(scratch, byteLength, scratch + out)
    return Buffer.from(memory.u8.slice(scratch + out, scratch + out + 8))
  } finally {
    heap.free(scratch)
  }
}
