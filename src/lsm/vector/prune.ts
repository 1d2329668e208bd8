/** What zone maps say of conditions, for all row groups of a file at once. */
import { isLiteral, isManyCharacters, patternParts } from '../../bytes/like.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { comparison, textPrefix } from '../../kernel/zone-map.ts'
import type { Comparison } from '../../kernel/zone-map.ts'
import { comparePhysical } from '../aggregate.ts'
import type { MissingValues } from '../keys/missing-values.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { physicalKindNumber } from '../layout.ts'
import type { TableReader } from '../table/table.ts'
import type { PhysicalValue, PredicateTerm } from '../tree.ts'
import type { Allocate } from './constant.ts'
import type { VectorExpression } from './expression.ts'
import { createTerm, filterVector } from './term.ts'
import type { Term } from './term.ts'

/** By row group: 0 no row matches, 1 some may, 2 all do. */
export type PruneRowGroups = (reader: TableReader) => Uint8Array

export function createPruning(kernel: Kernel, { layout: { columns }, missing }: RowLayout, terms: readonly Term[], conditions: readonly VectorExpression[], allocate: Allocate): PruneRowGroups {
  const term = (ordinal: number, name: Comparison, value?: PhysicalValue): PruneRowGroups => {
    const request: PredicateTerm = value === undefined ? { ordinal, comparison: name } : { ordinal, comparison: name, value }
    const made = createTerm(kernel, columns, request, allocate)
    return (reader) => pruneByTerms(kernel, missing, [made], reader)
  }
  const plain: PruneRowGroups = (reader) => pruneByTerms(kernel, missing, terms, reader)
  return conditions.length === 0 ? plain : folded([plain, ...conditions.map((condition) => pruneCondition(condition, term))], Math.min)
}

type PruneTerm = (ordinal: number, name: Comparison, value?: PhysicalValue) => PruneRowGroups

const same = (outcome: number): PruneRowGroups => ({ meta: { rowGroupCount } }) => new Uint8Array(rowGroupCount).fill(outcome)
const some = same(1)

function folded(items: readonly PruneRowGroups[], fold: (a: number, b: number) => number): PruneRowGroups {
  return (reader) => items.map((item) => item(reader)).reduce((a, b) => a.map((outcome, rowGroup) => fold(outcome, b[rowGroup]!)))
}

/** Values of a list that are looked for one by one; of a longer one only the ends count. */
const listMax = 16

function pruneCondition(condition: VectorExpression, term: PruneTerm): PruneRowGroups {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return folded(condition.items.map((item) => pruneCondition(item, term)), condition.kind === 'and' ? Math.min : Math.max)
    case 'compare': {
      const { left, right } = condition
      if (left.kind !== 'column' || right.kind !== 'constant' || typeof right.value === 'boolean') return some
      return right.value === null ? same(0) : term(left.ordinal, condition.comparison, right.value)
    }
    case 'isNull':
      return condition.operand.kind === 'column' ? term(condition.operand.ordinal, condition.negated ? 'isNotNull' : 'isNull') : some
    case 'in':
      return condition.operand.kind === 'column' && condition.values.length > 0 ? pruneList(condition.operand.ordinal, condition.values, term) : some
    case 'like':
      return condition.operand.kind === 'column' && !condition.caseless ? prunePattern(condition.operand.ordinal, condition.pattern, condition.escape, term) : some
    case 'constant':
      return same(condition.value === true ? 2 : 0)
    case 'not':
    case 'case':
    case 'coalesce':
    case 'column':
    case 'doubles':
    case 'integers':
    case 'toDouble':
    case 'toInteger':
    case 'fromBoolean':
    case 'rounded':
      return some
  }
}

function pruneList(ordinal: number, values: readonly PhysicalValue[], term: PruneTerm): PruneRowGroups {
  if (values.length <= listMax) return folded(values.map((value) => term(ordinal, 'eq', value)), Math.max)
  const sorted = values.toSorted(comparePhysical)
  return atMostSome([term(ordinal, 'ge', sorted[0]), term(ordinal, 'le', sorted.at(-1))])
}

const atMostSome = (items: readonly PruneRowGroups[]): PruneRowGroups => folded([...items, some], Math.min)

/** Texts that begin with what stands before the pattern's first % or _ lie between that and the next text of its length. */
function prunePattern(ordinal: number, pattern: string, escape: string | undefined, term: PruneTerm): PruneRowGroups {
  const [first, second, ...more] = patternParts(pattern, escape)
  if (first === undefined || !isLiteral(first)) return some
  const start = Buffer.from(first)
  if (second === undefined) return term(ordinal, 'eq', start)
  const end = Uint8Array.from(start)
  // No byte of UTF-8 is 255.
  end[end.length - 1]! += 1
  const within = [term(ordinal, 'ge', start), term(ordinal, 'lt', end)]
  return isManyCharacters(second) && more.length === 0 ? folded(within, Math.min) : atMostSome(within)
}

const zoneTermBytes = 32

/** A conjunction of terms. */
function pruneByTerms(kernel: Kernel, missing: MissingValues, terms: readonly Term[], reader: TableReader): Uint8Array {
  const { memory, heap, exports } = kernel
  const { rowGroupCount } = reader.meta
  const known = terms.filter(({ ordinal }) => reader.zoneMap(ordinal) !== 0)
  // A column that the file is older than is the same in every row.
  if (terms.some((term) => reader.zoneMap(term.ordinal) === 0 && !matchesMissing(kernel, missing, term))) return new Uint8Array(rowGroupCount)
  if (known.length === 0) return new Uint8Array(rowGroupCount).fill(2)
  const records = heap.allocate(zoneTermBytes * known.length), out = heap.allocate(rowGroupCount)
  memory.u8.fill(0, records, records + zoneTermBytes * known.length)
  known.forEach((term, i) => {
    const record = records + zoneTermBytes * i
    memory.u32[record >>> 2] = reader.zoneMap(term.ordinal)
    memory.u32[(record >>> 2) + 1] = physicalKindNumber[term.kind]
    memory.u32[(record >>> 2) + 2] = term.comparison
    memory.u32[(record >>> 2) + 3] = term.kind === 'bytes' && term.constantBytes > 8 ? 1 : 0
    memory.u64[(record + 16) >>> 3] = term.value instanceof Uint8Array ? textPrefix(term.value) : memory.u64[term.constant >>> 3]!
  })
  exports.zoneMapPrune(records, known.length, reader.liveRowCounts, rowGroupCount, out)
  const answers = memory.u8.slice(out, out + rowGroupCount)
  heap.free(records)
  heap.free(out)
  return answers
}

/** Whether rows that are older than the term's column match it. */
function matchesMissing(kernel: Kernel, missing: MissingValues, term: Term): boolean {
  const { kind } = term, cell = missing.cell(term.ordinal)
  if (cell === undefined) return term.comparison === comparison.isNull
  const selection = kernel.heap.allocate(8)
  kernel.exports.scanSelectAll(selection, 1)
  const selectedCount = filterVector(kernel, term, kind === 'bytes' ? { kind, refs: cell, nulls: 0 } : { kind, values: cell, nulls: 0 }, 1, selection)
  kernel.heap.free(selection)
  return selectedCount === 1
}
