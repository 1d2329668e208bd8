/** Keys and values as abstract-level gives and wants them (its three formats), and as the engine keeps them: bytes. */

export type Format = 'utf8' | 'buffer' | 'view'
export type Formatted = string | Uint8Array

export function bytesOf(value: Formatted): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value
}

/** Bytes that are the caller's own, or their text, in a format. */
export function formatted(format: Format, bytes: Formatted): Formatted {
  if (typeof bytes === 'string') return bytes
  switch (format) {
    case 'utf8':
      return asBuffer(bytes).toString()
    case 'buffer':
      return asBuffer(bytes)
    case 'view':
      return bytes
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
