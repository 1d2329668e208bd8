/**
 * From conditions with values to what the engine scans: bounds on the primary key where conditions allow, the rest
 * as predicate terms. Pure.
 */
import type { EnginePredicateTerm, EngineValue, KeyBound } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { isLongerThan } from '../value/compare.ts'
import type { Comparison } from '../../kernel/zone-map.ts'

export interface ScanRange {
  readonly lower: KeyBound | undefined
  readonly upper: KeyBound | undefined
  readonly predicate: readonly EnginePredicateTerm[]
}

/**
 * Key columns held by equality form a prefix; one condition from below and one from above on the column after it
 * narrow it further. A term that a bound expresses is not checked again.
 */
export function scanRange(table: TableSchema, terms: readonly EnginePredicateTerm[]): ScanRange {
  if (table.hiddenKey || terms.length === 0) return { lower: undefined, upper: undefined, predicate: terms }
  const used = new Set<EnginePredicateTerm>()
  const prefix: EngineValue[] = []
  let column = 0
  for (; column < table.primaryKey.length; column++) {
    const term = find(table, terms, table.primaryKey[column]!, 'eq', 'eq')
    if (term === undefined) break
    prefix.push(term.value!)
    used.add(term)
  }
  const next = table.primaryKey[column]
  const above = next === undefined ? undefined : find(table, terms, next, 'ge', 'gt')
  const below = next === undefined ? undefined : find(table, terms, next, 'le', 'lt')
  if (above !== undefined) used.add(above)
  if (below !== undefined) used.add(below)
  const lower = bound(prefix, above, 'ge')
  const upper = bound(prefix, below, 'le')
  const predicate = used.size === 0 ? terms : terms.filter((term) => !used.has(term))
  return { lower, upper, predicate }
}

/** Bounds are keys, so what no key can be stays a predicate. */
function find(table: TableSchema, terms: readonly EnginePredicateTerm[], ordinal: number, one: Comparison, other: Comparison): EnginePredicateTerm | undefined {
  const { type } = table.columns[ordinal]!
  return terms.find((term) => term.ordinal === ordinal && (term.comparison === one || term.comparison === other) && !(typeof term.value === 'string' && isLongerThan(type, term.value)))
}

function bound(prefix: readonly EngineValue[], term: EnginePredicateTerm | undefined, inclusive: Comparison): KeyBound | undefined {
  if (term !== undefined) return { values: [...prefix, term.value!], inclusive: term.comparison === inclusive }
  return prefix.length === 0 ? undefined : { values: prefix, inclusive: true }
}
