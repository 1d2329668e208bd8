/**
 * Computed columns that follow an integer column in steps. The directory of an encoded chunk tells between which values each
 * block of 1,024 rows lies; where the expression gives the same at both ends, it does so for every row of the block, and
 * none is decoded, let alone computed. Of rows that come in the order of time, as most do, only the blocks in which a slot
 * of time begins are left.
 */
import { LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../../layout.ts'
import type { Vector } from '../../page.ts'
import { checkDecoded } from '../../read/row-group-columns.ts'
import type { Arena } from '../../state/arena.ts'
import type { ComputeRows } from '../evaluator.ts'
import type { VectorExpression } from '../expression.ts'
import type { VectorRows } from '../node.ts'
import { followedColumn } from './followed-column.ts'
import type { Steps } from './step-visitor.ts'

/** Of the selected rows (0 = all) of a row group; undefined where looking at steps spares nothing. */
export type StepsOf = (rows: VectorRows, selection: Pointer, arena: Arena) => Steps | undefined

const blockRows = 1024
/** Row groups that are not looked at after one that was looked at in vain, at most. */
const patienceMax = 64

/** undefined for an expression that goes back and forth. */
export function createSteps(kernel: Kernel, columns: readonly PhysicalKind[], expression: VectorExpression, compute: ComputeRows): StepsOf | undefined {
  const ordinal = followedColumn(columns, expression)
  if (ordinal === undefined) return undefined
  let patience = 0, toSkip = 0
  return (rows, selection, arena) => {
    if (toSkip > 0) {
      toSkip--
      return undefined
    }
    const steps = stepsOf({ kernel, ordinal, compute, rows, selection, arena })
    patience = steps === undefined ? Math.min(patienceMax, 2 * patience + 1) : 0
    toSkip = patience
    return steps
  }
}

interface SteppedRows {
  readonly kernel: Kernel
  /** The column that is followed. */
  readonly ordinal: number
  readonly compute: ComputeRows
  readonly rows: VectorRows
  readonly selection: Pointer
  readonly arena: Arena
}

function stepsOf(stepped: SteppedRows): Steps | undefined {
  const ends = valuesAtEnds(stepped)
  if (ends === undefined) return undefined
  const { rows: { rowCount } } = stepped, { values, levels } = ends
  return (visitor) => {
    for (let block = 0, next = 0; block < levels.length; block = next) {
      next = block + 1
      const first = block * blockRows, isLevel = levels[block]!
      while (isLevel && next < levels.length && levels[next]! && isEqual(stepped.kernel, values + 16 * block, values + 16 * next)) next++
      const count = Math.min(next * blockRows, rowCount) - first
      if (!(isLevel ? visitor.level(first, count, values + 16 * block) : visitor.mixed(first, count, computeBlock(stepped, first, count)))) return false
    }
    return true
  }
}

const isEqual = ({ memory: { u32 } }: Kernel, a: Pointer, b: Pointer): boolean => u32[a >>> 2] === u32[b >>> 2] && u32[(a >>> 2) + 1] === u32[(b >>> 2) + 1]

/** The expression at the ends of each block, and which of these are equal; undefined where most are not. */
function valuesAtEnds({ kernel, ordinal, compute, rows: { rowCount, chunk }, arena }: SteppedRows): { readonly values: Pointer; readonly levels: readonly boolean[] } | undefined {
  const encoded = chunk(ordinal), blocks = Math.ceil(rowCount / blockRows)
  if (encoded === 0) return undefined
  const bounds = arena.allocate(16 * blocks)
  if (kernel.exports.columnBlockBounds(encoded, bounds) !== blocks) return undefined
  const ends = computedOrFailed(compute, { rowCount: 2 * blocks, chunk: () => 0, vector: () => ({ kind: 'i64', values: bounds, nulls: 0 }) }, arena)
  if (ends === undefined || ends.kind === 'bytes') return undefined
  const { values } = ends, levels: boolean[] = []
  let levelCount = 0
  for (let block = 0; block < blocks; block++) {
    const isLevel = isEqual(kernel, values + 16 * block, values + 16 * block + 8)
    levels.push(isLevel)
    if (isLevel) levelCount++
  }
  return 2 * levelCount > blocks ? { values, levels } : undefined
}

/** At ends that no row has it may fail where it does for no row. */
function computedOrFailed(compute: ComputeRows, ends: VectorRows, arena: Arena): Vector | undefined {
  try {
    return compute(ends, 0, arena)
  } catch (error) {
    if (error instanceof LsmtError && (error.code === '22003' || error.code === '22012')) return undefined
    throw error
  }
}

function computeBlock({ kernel: { exports }, ordinal, compute, rows, selection, arena }: SteppedRows, first: number, count: number): Vector {
  const values = arena.allocate(8 * count)
  checkDecoded(exports.columnDecodeI64(rows.chunk(ordinal), first, count, values, 0), 'i64')
  return compute({ rowCount: count, chunk: () => 0, vector: () => ({ kind: 'i64', values, nulls: 0 }) }, selection === 0 ? 0 : selection + first / 8, arena)
}
