/** Order and identity of engine values. Texts compare by their UTF-8 bytes, NaN equals itself and is the largest. */
import type { EngineValue } from '../../../engine/engine.ts'
import type { ValueType } from '../type.ts'
import { compareIntervals } from './interval.ts'

export type Compare = (a: EngineValue, b: EngineValue) => number

/** How values of a type that are not null compare. */
export function comparer(type: ValueType): Compare {
  switch (type.kind) {
    case 'double':
      return (a, b) => compareDoubles(a as number, b as number)
    case 'text':
    case 'unknown':
      return (a, b) => compareText(a as string, b as string)
    case 'interval':
      return (a, b) => compareIntervals(a as string, b as string)
    case 'bytea':
      return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array)
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'numeric':
    case 'boolean':
    case 'timestamp':
    case 'date':
      return (a, b) => (a! < b! ? -1 : a! > b! ? 1 : 0)
  }
}

function compareDoubles(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return 0
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** By code points, which is the order of UTF-8; JavaScript compares code units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return afterSurrogates(x) - afterSurrogates(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all other units. */
function afterSurrogates(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** A value as a key of a Map: equal for equal values of one type, null included. */
export function keyOf(value: EngineValue): EngineValue {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
}

/** Values as one key. */
export function keyOfAll(values: readonly EngineValue[]): EngineValue {
  return values.length === 1 ? keyOf(values[0]!) : values.map(partOfKey).join('')
}

function partOfKey(value: EngineValue): string {
  if (value === null) return 'n'
  const key = keyOf(value)
  if (typeof key === 'string') return `${key.length}:${key}`
  return `#${key === 0 ? 0 : String(key)};`
}
