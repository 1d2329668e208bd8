/** Reads what a peer wrote, trusting nothing: each field is checked before it is used, and 08P01 names the one that is wrong. */
import type { LsmtError } from '../../../errors.ts'
import { violation } from '../frame/frame.ts'

export interface ByteReader {
  u8(field: string): number
  u32(field: string): number
  /** Any finite number. */
  f64(field: string): number
  /** Any double, NaN and the infinite ones included. */
  double(field: string): number
  i64(field: string): bigint
  /** From 0 to `max`, by default 2^53-1, in as few bytes as it needs. */
  count(field: string, max?: number): number
  flag(field: string): boolean
  /** Valid UTF-8 of at most `bytesMax` bytes. */
  anyText(field: string, bytesMax: number): string
  /** Valid UTF-8 of 1 to `bytesMax` bytes. */
  text(field: string, bytesMax: number): string
  /** A view. */
  bytes(field: string, byteLength: number): Uint8Array
  /** A view of what has its length before it. */
  sized(field: string, bytesMax?: number): Uint8Array
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
  const anyText = (field: string, bytesMax: number): string => utf8Of(bytes(field, count(field, bytesMax)), () => wrong(field, 'UTF-8', 'other bytes'))
  const double = (field: string): number => buffer.readDoubleLE(advance(field, 8))
  return {
    u8,
    u32: (field) => buffer.readUInt32LE(advance(field, 4)),
    f64(field) {
      const value = double(field)
      if (!Number.isFinite(value)) throw wrong(field, 'a finite number', value)
      return value
    },
    double,
    i64: (field) => buffer.readBigInt64LE(advance(field, 8)),
    count,
    flag: (field) => count(field, 1) === 1,
    anyText,
    text(field, bytesMax) {
      const text = anyText(field, bytesMax)
      if (text === '') throw wrong(field, 'a text', 'an empty one')
      return text
    },
    bytes,
    sized: (field, bytesMax) => bytes(field, count(field, bytesMax)),
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
