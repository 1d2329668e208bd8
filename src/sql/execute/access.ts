/**
 * From conditions with values to the way in which a table's rows are found: by whole keys, by ranges of keys, or not at
 * all. Pure. What hints tell is checked by somebody else too; here it only leaves out what cannot be.
 */
import type { EnginePredicateTerm, EngineRow, EngineValue } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { comparer } from '../expression/value/order.ts'
import type { PlanHint, PlanTerm } from '../plan-term.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { scanRange } from './bounds.ts'
import type { ScanRange } from './bounds.ts'
import { keyText, keyValue } from './keys.ts'
import { likeTerms } from './like-range.ts'
import { resolveTerms } from './terms.ts'

export type Access =
  | { readonly kind: 'nothing' }
  /** Whole keys, each once, in key order; the rows must satisfy `predicate` besides. */
  | { readonly kind: 'keys'; readonly keys: readonly EngineRow[]; readonly predicate: readonly EnginePredicateTerm[] }
  /** In key order; they do not overlap. */
  | { readonly kind: 'ranges'; readonly ranges: readonly ScanRange[] }

/** The range that one read of the engine goes through; undefined where there are several, or single keys are read. */
export function singleRange(access: Access): ScanRange | undefined {
  return access.kind === 'ranges' && access.ranges.length === 1 ? access.ranges[0] : undefined
}

/** More ranges than this cost more than one scan over all of them. */
const rangesMax = 64

/** Combinations of key values beyond this are not made. */
const keysMax = 200_000

export function accessOf(table: TableSchema, terms: readonly PlanTerm[], hints: readonly PlanHint[], values: Values): Access {
  const given = resolveTerms(terms, values)
  const choices = hints.flatMap((hint) => (hint.kind === 'choice' ? [resolveChoice(hint, values)] : []))
  const likes = hints.flatMap((hint) => (hint.kind === 'like' ? [likeTerms(hint, values)] : []))
  if (given === undefined || choices.some(({ tuples }) => tuples.length === 0) || likes.includes(undefined)) return { kind: 'nothing' }
  const known = [...given, ...likes.flatMap((like) => like ?? [])]
  const ends = choices.flatMap((choice) => extremes(table, choice))
  const resolved = [...known, ...ends]
  const keys = table.hiddenKey ? undefined : keyPrefixes(table, known, choices)
  if (keys === undefined) return { kind: 'ranges', ranges: [scanRange(table, resolved)] }
  if (keys.length === 0) return { kind: 'nothing' }
  const { length } = keys[0]!
  if (length === table.primaryKey.length) return { kind: 'keys', keys, predicate: given.filter((term) => !isKeyEquality(table, term)) }
  if (keys.length > rangesMax) return { kind: 'ranges', ranges: [scanRange(table, resolved)] }
  const named = table.primaryKey.slice(0, length)
  const others = [...known.filter(({ ordinal, comparison }) => comparison !== 'eq' || !named.includes(ordinal)), ...ends.filter(({ ordinal }) => !named.includes(ordinal))]
  return { kind: 'ranges', ranges: keys.map((prefix) => scanRange(table, [...prefix.map((value, position) => keyEquality(table, position, value)), ...others])) }
}

/** The rows of some keys, or of first columns of keys, in key order. */
export function accessByKeys(table: TableSchema, keys: readonly EngineRow[], terms: readonly PlanTerm[], values: Values): Access {
  const given = resolveTerms(terms, values)
  if (given === undefined || keys.length === 0) return { kind: 'nothing' }
  if (keys[0]!.length === table.primaryKey.length) return { kind: 'keys', keys, predicate: given }
  return { kind: 'ranges', ranges: keys.map((prefix) => scanRange(table, [...prefix.map((value, position) => keyEquality(table, position, value)), ...given])) }
}

function keyEquality({ primaryKey }: TableSchema, position: number, value: EngineValue): EnginePredicateTerm {
  return { ordinal: primaryKey[position]!, comparison: 'eq', value }
}

function isKeyEquality({ primaryKey }: TableSchema, { ordinal, comparison }: EnginePredicateTerm): boolean {
  return comparison === 'eq' && primaryKey.includes(ordinal)
}

interface Choice {
  readonly ordinals: readonly number[]
  readonly tuples: readonly EngineRow[]
}

/** Without the tuples that no row can have: with a null, or a value that the column cannot hold. */
function resolveChoice({ columns, tuples }: Extract<PlanHint, { kind: 'choice' }>, values: Values): Choice {
  const possible = tuples.map((tuple) => tuple.map((operand, index) => atOperand(values, operand, (value) => keyValue(columns[index]!.column, value))))
  return { ordinals: columns.map(({ ordinal }) => ordinal), tuples: possible.filter((tuple) => !tuple.includes(undefined)) as EngineRow[] }
}

/** The smallest and the largest of the values of each column, by which row groups are left out. */
function extremes(table: TableSchema, { ordinals, tuples }: Choice): readonly EnginePredicateTerm[] {
  return ordinals.flatMap((ordinal, index): EnginePredicateTerm[] => {
    const compare = comparer(table.columns[ordinal]!.type)
    let [low, high] = [tuples[0]![index]!, tuples[0]![index]!]
    for (const tuple of tuples) {
      const value = tuple[index]!
      if (compare(value, low) < 0) low = value
      if (compare(value, high) > 0) high = value
    }
    if (compare(low, high) === 0) return [{ ordinal, comparison: 'eq', value: low }]
    return [{ ordinal, comparison: 'ge', value: low }, { ordinal, comparison: 'le', value: high }]
  })
}

/** Values by place in the key, as far as they are known. */
type PartialKey = readonly (EngineValue | undefined)[]

/** The first columns of all keys that can be, each once and in order; none when conditions contradict each other, undefined when not even the first column is known. */
function keyPrefixes(table: TableSchema, terms: readonly EnginePredicateTerm[], choices: readonly Choice[]): readonly EngineRow[] | undefined {
  const { primaryKey } = table
  const fixed = terms.filter((term) => isKeyEquality(table, term)).map(({ ordinal, value }): Choice => ({ ordinals: [ordinal], tuples: [[value!]] }))
  let keys: readonly PartialKey[] = [primaryKey.map(() => undefined)]
  for (const choice of [...fixed, ...choices]) {
    if (keys.length * choice.tuples.length <= keysMax) keys = combined(primaryKey, keys, choice)
  }
  if (keys.length === 0) return []
  const known = primaryKey.findIndex((_, position) => keys.some((key) => key[position] === undefined))
  const length = known < 0 ? primaryKey.length : known
  return length === 0 ? undefined : inKeyOrder(table, keys.map((key) => key.slice(0, length) as EngineRow))
}

function combined(primaryKey: readonly number[], keys: readonly PartialKey[], { ordinals, tuples }: Choice): readonly PartialKey[] {
  const places = ordinals.map((ordinal) => primaryKey.indexOf(ordinal))
  if (places.every((place) => place < 0)) return keys
  return keys.flatMap((key) => tuples.flatMap((tuple) => {
    const next = [...key]
    for (const [index, place] of places.entries()) {
      if (place < 0) continue
      const value = tuple[index]!
      if (next[place] !== undefined && keyText([next[place]]) !== keyText([value])) return []
      next[place] = value
    }
    return [next]
  }))
}

/** Keys, or their first columns, each once and in order. */
export function inKeyOrder({ primaryKey, columns }: TableSchema, keys: readonly EngineRow[]): readonly EngineRow[] {
  if (keys.length < 2) return keys
  const unique = [...new Map(keys.map((key) => [keyText(key), key])).values()]
  const compares = primaryKey.map((ordinal) => comparer(columns[ordinal]!.type))
  return unique.sort((a, b) => {
    for (const [position, compare] of compares.entries()) {
      if (position === a.length) break
      const order = compare(a[position]!, b[position]!)
      if (order !== 0) return order
    }
    return 0
  })
}
