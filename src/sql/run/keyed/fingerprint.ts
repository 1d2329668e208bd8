/** What tells requests apart that come with the same idempotency key. */
import { createHash } from 'node:crypto'
import type { SqlParameter, SqlParameters } from '../../slot.ts'

/** SHA-256 over a text and its parameters; named ones count whatever their order. */
export function fingerprintOf(text: string, parameters: SqlParameters | undefined): Uint8Array {
  const hash = createHash('sha256').update(JSON.stringify(text))
  if (parameters === undefined) return hash.digest()
  const isList = Array.isArray(parameters)
  const named = Object.entries(parameters as Readonly<Record<string, SqlParameter>>)
  if (!isList) named.sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, value] of named) hash.update(`\n${JSON.stringify(name)}:${parameterText(value)}`)
  return hash.digest()
}

/** Equal for equal parameters only. */
function parameterText(value: SqlParameter): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}`
  if (typeof value === 'object' && value !== null) return `digits ${JSON.stringify(value.digits)}`
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`
}
