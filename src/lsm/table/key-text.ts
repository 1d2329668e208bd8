/** Keys and values as people read them, where nobody knows the table's types: numbers, texts in quotes, other bytes in hexadecimal. */
import type { KeyForm, PhysicalValue } from '../layout.ts'

const shownBytesMax = 48

/** Key bytes of a file; composite keys as they are compared. */
export function keyText(form: KeyForm, key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.length)
  if (form === 'i64' && bytes.length === 8) return String(BigInt.asIntN(64, bytes.readBigUInt64BE() ^ (1n << 63n)))
  return form === 'bytes' ? valueText(key) : `x'${clipped(bytes)}'`
}

export function valueText(value: PhysicalValue): string {
  if (!(value instanceof Uint8Array)) return String(value)
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const text = bytes.toString('utf8')
  const isText = !text.includes('\uFFFD') && !/\p{Cc}/u.test(text)
  return isText ? `'${bytes.length > shownBytesMax ? `${text.slice(0, shownBytesMax)}…` : text}'` : `x'${clipped(bytes)}'`
}

function clipped(bytes: Buffer): string {
  return bytes.length > shownBytesMax ? `${bytes.toString('hex', 0, shownBytesMax)}…` : bytes.toString('hex')
}
