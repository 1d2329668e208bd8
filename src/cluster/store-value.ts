/**
 * Values in the configuration store: one small JSON object each, with the number of its format and a version that grows
 * with every change. Whoever can write there is trusted, but what an operator or another release wrote is checked.
 */
import { LsmtError } from '../errors.ts'

export type Fields = Readonly<Record<string, unknown>>

/** An error for a value that is not what it should be. */
export type Broken = (expected: string, actual: unknown) => LsmtError

export interface StoreValue {
  readonly fields: Fields
  readonly broken: Broken
}

const shownMax = 200

/** The value under `key`, an object of this format. XX002 for another format, XX001 for anything else. */
export function readStoreValue(text: string, key: string, format: number): StoreValue {
  const broken: Broken = (expected, actual) => {
    const shown = String(JSON.stringify(actual)).slice(0, shownMax)
    return new LsmtError('XX001', `${key} in the configuration store: expected ${expected}, found ${shown}`, { file: key, expected, actual: shown })
  }
  const fields = fieldsOf(parsed(text, broken), 'an object', broken)
  if (fields['format'] === format) return { fields, broken }
  if (!isCount(fields['format'])) throw broken(`format ${format}`, fields['format'])
  throw new LsmtError('XX002', `${key} in the configuration store has format ${fields['format']}; this version knows format ${format}: run the version that wrote it`, { file: key, expected: String(format), actual: String(fields['format']) })
}

function parsed(text: string, broken: Broken): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw broken('JSON', text)
  }
}

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

export const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''

export function fieldsOf(value: unknown, expected: string, broken: Broken): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(expected, value)
  return value as Fields
}
