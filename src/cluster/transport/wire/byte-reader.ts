/** Reads what a peer wrote, trusting nothing: each field is checked before it is used, and 08P01 names the one that is wrong. */
import type { LsmtError } from '../../../errors.ts'
import { violation } from '../frame/frame.ts'

export interface ByteReader {
  u8(field: string): number
  u32(field: string): number
  /** Any finite number. */
  f64(field: string): number
  /** From 0 to `max`, by default 2^53-1, in as few bytes as it needs. */
  count(field: string, max?: number): number
  flag(field: string): boolean
  /** Valid UTF-8 of 1 to `bytesMax` bytes. */
  text(field: string, bytesMax: number): string
  /** A view. */
  bytes(field: string, byteLength: number): Uint8Array
  rest(): Uint8Array
  /** Throws when something is left. */
  end(): void
  wrong(field: string, expected: string, actual: unknown): LsmtError
}

/** `what` names the whole in errors. */
export function createByteReader(source: Uint8Array, what: string): ByteReader {
  const buffer = Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  let at = 0
  const wrong = (field: string, expected: string, actual: unknown): LsmtError => violation(`${what}, ${field}: expected ${expected}, found ${String(actual)}`)

  function advance(field: string, byteLength: number): number {
    const start = at
    if (byteLength > buffer.length - at) throw wrong(field, `${byteLength} bytes`, `${buffer.length - at} at its end`)
    at += byteLength
    return start
  }
  const u8 = (field: string): number => buffer[advance(field, 1)]!
  function count(field: string, max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = u8(field)
      if (scale > Number.MAX_SAFE_INTEGER) throw wrong(field, 'at most eight bytes', 'more')
      value += (byte & 0x7f) * scale
      if (value > max) throw wrong(field, `at most ${max}`, value)
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw wrong(field, 'a number in as few bytes as it needs', 'a longer one')
        return value
      }
    }
  }
  const bytes = (field: string, byteLength: number): Uint8Array => {
    const start = advance(field, byteLength)
    return buffer.subarray(start, start + byteLength)
  }
  return {
    u8,
    u32: (field) => buffer.readUInt32LE(advance(field, 4)),
    f64(field) {
      const value = buffer.readDoubleLE(advance(field, 8))
      if (!Number.isFinite(value)) throw wrong(field, 'a finite number', value)
      return value
    },
    count,
    flag: (field) => count(field, 1) === 1,
    text(field, bytesMax) {
      const byteLength = count(field, bytesMax)
      if (byteLength === 0) throw wrong(field, 'a text', 'an empty one')
      return utf8Of(bytes(field, byteLength), () => wrong(field, 'UTF-8', 'other bytes'))
    },
    bytes,
    rest: () => bytes('rest', buffer.length - at),
    end() {
      if (at < buffer.length) throw wrong('its end', 'nothing more', `${buffer.length - at} bytes`)
    },
    wrong,
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8Of(bytes: Uint8Array, wrong: () => LsmtError): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw wrong()
  }
}
