/**
 * Joins that read one side by its primary keys instead of scanning it: where the other side turns out to have few rows,
 * or no more rows are wanted than a few of it give. No statistics are asked for: the other side is read up to as many
 * rows as look-ups would be cheaper for, and what was read is the beginning of a hash join when there are more.
 */
import { resolveTerms } from '../../execute/terms.ts'
import { join } from '../join.ts'
import type { Joined } from '../join.ts'
import type { JoinNode, QueryNode } from '../node.ts'
import type { Batch, Prepare, QueryRun, Stream } from '../query-run.ts'
import { scanAccess } from '../scan.ts'
import { rowBytes } from '../spill/query-memory.ts'
import type { MemoryShare } from '../spill/query-memory.ts'
import { keyedReader, keyedSide } from './keyed-side.ts'
import type { KeyedSide } from './keyed-side.ts'
import { keysAlways, lookupsMax } from './lookup-cost.ts'

/** Wanted rows for which left rows are not read ahead; and left rows whose partners are looked up at most to find them. */
const fewWanted = 1_024

interface Side {
  readonly side: KeyedSide
  readonly read: (others: Batch) => Stream
}

interface LookupJoin {
  readonly node: JoinNode
  readonly run: QueryRun
  readonly join: Joined
  readonly inputs: JoinInputs
  readonly right: Side | undefined
  readonly left: Side | undefined
  readonly share: MemoryShare
}

export interface JoinInputs {
  readonly left: Stream
  readonly right: Stream
  readonly watch: (node: QueryNode, rows: Stream) => Stream
  readonly prepare: Prepare
}

/** The sides of a join that may be read by their keys, the right one first. */
export function lookupSides(node: JoinNode): { readonly right: KeyedSide | undefined; readonly left: KeyedSide | undefined } {
  return { right: node.join === 'full' ? undefined : keyedSide(node, 'right'), left: node.join === 'inner' ? keyedSide(node, 'left') : undefined }
}

/** `wanted`: no more rows will be taken. */
export function lookupJoin(node: JoinNode, inputs: JoinInputs, run: QueryRun, wanted: number | undefined): Stream {
  const joined = join(node, run, inputs.prepare)
  const sides = lookupSides(node)
  const right = readable(sides.right, inputs, run)
  const left = readable(sides.left, inputs, run)
  if (right === undefined && left === undefined) return joined(inputs.left, inputs.right)
  const plan: LookupJoin = { node, run, join: joined, inputs, right, left, share: run.memory.share() }
  return () => (wanted !== undefined && wanted <= fewWanted && right !== undefined ? fewRows(plan, right) : bySmallerSide(plan))
}

/** Where a scan reads little anyway there is nothing to gain. */
function readable(side: KeyedSide | undefined, { watch }: JoinInputs, run: QueryRun): Side | undefined {
  if (side === undefined || scanAccess(side.scan, run).kind !== 'ranges') return undefined
  const predicate = resolveTerms(side.scan.terms, run.values)
  return predicate && { side, read: keyedReader(side, predicate, run, watch) }
}

/** As many rows as are wanted, mostly: looked up for few left rows at a time, until it takes too many of them. */
async function* fewRows({ node, inputs, join, run }: LookupJoin, { read }: Side): AsyncGenerator<Batch> {
  const rows = inputs.left()[Symbol.asyncIterator]()
  run.probe?.looksUp(node, 'right')
  try {
    for (let asked = 0; asked < fewWanted; ) {
      const next = await rows.next()
      if (next.done === true) return
      for (let start = 0; start < next.value.length; start += keysAlways) {
        const part = next.value.slice(start, start + keysAlways)
        yield* join(() => once([part]), read(part))()
      }
      asked += next.value.length
    }
    yield* join(() => rest([], rows), inputs.right)()
  } finally {
    await rows.return?.()
  }
}

async function* bySmallerSide(plan: LookupJoin): AsyncGenerator<Batch> {
  const { node, run, inputs, join, right, left, share } = plan
  const leftRows = right && await gather(plan, inputs.left, right.side)
  try {
    if (leftRows?.isAll === true) {
      const { rows } = leftRows
      run.probe?.looksUp(node, 'right')
      yield* join(() => once(rows), right!.read(rows.flat()))()
      return
    }
    const rightRows = left && await gather(plan, inputs.right, left.side)
    try {
      if (rightRows?.isAll === true) {
        run.probe?.looksUp(node, 'left')
        yield* join(left!.read(rightRows.rows.flat()), () => once(rightRows.rows))()
      } else yield* join(leftRows?.stream ?? inputs.left, rightRows?.stream ?? inputs.right)()
    } finally {
      await rightRows?.end()
    }
  } finally {
    await leftRows?.end()
    share.give(share.usedBytes)
  }
}

interface Gathered {
  /** There are no more rows than these. */
  readonly isAll: boolean
  readonly rows: readonly Batch[]
  /** These and the ones that follow, once. */
  readonly stream: Stream
  end(): Promise<void>
}

/** The stream's rows as far as look-ups of their partners would cost less than a scan for these. */
async function gather({ run, share }: LookupJoin, stream: Stream, side: KeyedSide): Promise<Gathered> {
  const iterator = stream()[Symbol.asyncIterator]()
  const rows: Batch[] = []
  const gathered = { rows, stream: (): AsyncIterable<Batch> => rest(rows, iterator), end: async () => { await iterator.return?.() } }
  let count = 0
  let countMax: number | undefined
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      rows.push(next.value)
      count += next.value.length
      // So few are no more than go by between operators anyway.
      if (count <= keysAlways) continue
      countMax ??= await lookupsMax(side.scan, run)
      if (count > countMax || !share.take(next.value.reduce((sum, row) => sum + rowBytes(row), 0))) return { ...gathered, isAll: false }
    }
    return { ...gathered, isAll: true }
  } catch (error) {
    await gathered.end()
    throw error
  }
}

async function* once(rows: readonly Batch[]): AsyncGenerator<Batch> {
  yield* rows
}

async function* rest(rows: readonly Batch[], following: AsyncIterator<Batch>): AsyncGenerator<Batch> {
  yield* rows
  for (let next = await following.next(); next.done !== true; next = await following.next()) yield next.value
}
