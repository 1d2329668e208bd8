/** Groups by hashing, in as many passes as their memory needs; see spill/passes.ts. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import { aggregateOf } from './aggregate.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { GroupNode } from './node.ts'
import { batchRows, discardSpillFile, openSpillFile, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { firsts } from './set.ts'
import { hasKey, lookUp, mapBytes, mapEntryBytes, newKeyMap, put } from './spill/key-map.ts'
import type { KeyMap } from './spill/key-map.ts'
import { createPartitions } from './spill/partitions.ts'
import type { Partitions } from './spill/partitions.ts'
import { inPasses } from './spill/passes.ts'
import type { Pass } from './spill/passes.ts'
import { rowBytes, valueBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'

interface Column {
  readonly aggregate: AnyAggregate
  /** Absent for COUNT(*). */
  readonly argument: Evaluate | undefined
  readonly distinct: boolean
}

interface Group {
  readonly keys: EngineRow
  readonly states: unknown[]
  /** By column, the values seen; for DISTINCT. */
  seen: readonly (KeyMap<true> | undefined)[]
}

interface Grouping {
  readonly run: QueryRun
  readonly share: MemoryShare
  readonly keys: readonly Evaluate[]
  readonly columns: readonly Column[]
}

/** What one pass holds. */
interface Held {
  readonly groups: KeyMap<Group>
  /** The same: going through a map of many parts would jump about in memory. */
  readonly inOrder: Group[]
  readonly pass: Pass
  /** Bytes of the values seen, which are needed only until all rows have come. */
  seenBytes: number
  /** Values of groups held that may have been seen or not: keys, column, value. */
  unseen: Partitions | undefined
}

/** Memory of a group beside its keys, and of a column in it. */
const groupBytes = 160
const stateBytes = 96

export function hashed(node: GroupNode, input: Stream, run: QueryRun): Stream {
  const columns = node.aggregates.map((aggregate): Column => ({
    aggregate: aggregateOf(aggregate),
    argument: aggregate.argument === undefined ? undefined : compile(aggregate.argument, run),
    distinct: aggregate.distinct,
  }))
  const grouping: Grouping = { run, share: run.memory.share(), keys: node.keys.map((key) => compile(key, run)), columns }
  return () => inPasses([input], run, grouping.share, ([rows], pass) => groupsOfPass(grouping, rows!, pass))
}

async function* groupsOfPass(grouping: Grouping, input: Stream, pass: Pass): AsyncGenerator<Batch> {
  const { run, keys, share } = grouping
  const held: Held = { groups: newKeyMap(), inOrder: [], pass, seenBytes: 0, unseen: undefined }
  const file = openSpillFile(run)
  const unseen = (): Partitions => (held.unseen ??= createPartitions(run, share, file, 0))
  try {
    if (keys.length === 0) groupOf(grouping, held, [])
    for await (const batch of input()) {
      await pace(run, batch.length)
      for (const row of batch) addRow(grouping, held, pass.isFirst ? evaluated(grouping, row) : row, unseen)
      await pass.settle()
      await held.unseen?.settle()
    }
    if (held.unseen !== undefined) await addUnseen(grouping, held, held.unseen)
    yield* finished(grouping, held)
  } finally {
    await discardSpillFile(run, file)
  }
}

/** Keys, then arguments; passes after the first are given them as they are. */
function evaluated({ keys, columns }: Grouping, row: EngineRow): EngineRow {
  const values: EngineValue[] = []
  for (const key of keys) values.push(key(row))
  for (const { argument } of columns) values.push(argument === undefined ? 1 : argument(row))
  return values
}

function addRow(grouping: Grouping, held: Held, row: EngineRow, unseen: () => Partitions): void {
  const { keys, columns } = grouping
  const group = groupOf(grouping, held, row)
  if (group === undefined) return
  const { states, seen } = group
  for (let index = 0; index < columns.length; index++) {
    const value = row[keys.length + index]!
    if (value === null) continue
    const known = seen[index]
    if (known !== undefined) {
      const key = keyOf(value)
      if (hasKey(known, key)) continue
      if (!admitSeen(held, key)) {
        const entry = [...group.keys, index, value]
        unseen().add(keyOfAll(entry), entry)
        continue
      }
      put(known, key, true)
    }
    states[index] = columns[index]!.aggregate.add(states[index], value)
  }
}

function admitSeen(held: Held, key: EngineValue): boolean {
  const bytes = mapEntryBytes + valueBytes(key)
  if (!held.pass.admit(bytes)) return false
  held.seenBytes += bytes
  return true
}

/** The row's group; undefined when it is left to a later pass. */
function groupOf({ keys, columns }: Grouping, { groups, inOrder, pass }: Held, row: EngineRow): Group | undefined {
  const key = keyOfAll(row, keys.length)
  const known = lookUp(groups, key)
  if (known !== undefined) return known
  const values = row.slice(0, keys.length)
  const seen = columns.map(({ distinct }) => (distinct ? newKeyMap<true>() : undefined))
  const bytes = groupBytes + rowBytes(values) + columns.reduce((sum, { distinct }) => sum + stateBytes + (distinct ? mapBytes : 0), 0)
  if (!pass.admit(bytes)) {
    pass.defer(0, key, row)
    return undefined
  }
  const group = { keys: values, states: columns.map(({ aggregate }) => aggregate.init()), seen }
  put(groups, key, group)
  inOrder.push(group)
  return group
}

/** Each distinct value that was left over, once: those that are held were not seen there. */
async function addUnseen({ run, share, keys, columns }: Grouping, held: Held, unseen: Partitions): Promise<void> {
  for (const group of held.inOrder) group.seen = []
  share.give(held.seenBytes)
  for (const values of await unseen.finish()) {
    const once = inPasses([() => values.read()], run, share, ([rows], pass) => firsts(rows!, pass, run), 1)
    for await (const batch of once) {
      for (const entry of batch) {
        const { states } = lookUp(held.groups, keyOfAll(entry, keys.length))!
        const index = entry[keys.length] as number
        states[index] = columns[index]!.aggregate.add(states[index], entry[keys.length + 1]!)
      }
    }
  }
}

async function* finished({ run, columns }: Grouping, { inOrder }: Held): AsyncGenerator<Batch> {
  let batch: EngineRow[] = []
  for (const { keys, states } of inOrder) {
    batch.push([...keys, ...columns.map(({ aggregate }, index) => aggregate.value(states[index]))])
    if (batch.length < batchRows) continue
    await pace(run, batchRows)
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
