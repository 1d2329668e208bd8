/**
 * Reading and writing etcd's JSON as proto3 has it: 64-bit integers are strings of digits, bytes are base64, and a field
 * that has its zero value is left out. Keys and values are text here; an answer that does not fit is 58030.
 */
import { LsmtError } from '../../../errors.ts'

export interface Fields {
  readonly [name: string]: unknown
}

export function mismatch(what: string, expected: string, value: unknown): LsmtError {
  const actual = String(JSON.stringify(value)).slice(0, 200)
  return new LsmtError('58030', `etcd's answer is not understood: ${what} should be ${expected}, and is ${actual}`, { expected, actual })
}

/** An absent one is empty, as proto3 has it. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(what, 'an object', value)
  return value as Fields
}

export function parseFields(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw mismatch('it', 'JSON', text)
  }
  return fieldsOf(value, 'it')
}

/** Also of unsigned ones, which cluster ids are. */
export function int64Of(value: unknown, what: string): bigint {
  if (value === undefined) return 0n
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  // proto3 allows readers to be given a number; one that JSON has rounded is not taken.
  if (Number.isSafeInteger(value)) return BigInt(value as number)
  throw mismatch(what, 'an integer as digits', value)
}

export function booleanOf(value: unknown, what: string): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw mismatch(what, 'true or false', value)
  return value
}

export function listOf<T>(value: unknown, what: string, entryOf: (entry: unknown) => T): T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw mismatch(what, 'a list', value)
  return value.map(entryOf)
}

/** Text for people, such as a message. */
export const messageOf = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value.slice(0, 1_000) : otherwise)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function textOf(value: unknown, what: string): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') throw mismatch(what, 'base64', value)
  try {
    return utf8.decode(Buffer.from(value, 'base64'))
  } catch {
    throw mismatch(what, 'text in UTF-8', value)
  }
}

export const base64Of = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
