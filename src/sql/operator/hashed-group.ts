/** Groups by hashing, in as many passes as their memory needs; see spill/passes.ts. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { aggregateOf } from './aggregate.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { GroupNode } from './node.ts'
import { batchRows, discardSpillFile, newRow, openSpillFile, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { firsts } from './set.ts'
import { hashOfKey } from './spill/key-hash.ts'
import { hasKey, keyBytes, lookUp, mapBytes, newKeyMap, put } from './spill/key-map.ts'
import type { KeyMap } from './spill/key-map.ts'
import { createPartitions } from './spill/partitions.ts'
import type { Partitions } from './spill/partitions.ts'
import { inPasses } from './spill/passes.ts'
import type { Pass } from './spill/passes.ts'
import { rowBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'

interface Column {
  readonly aggregate: AnyAggregate
  /** Absent for COUNT(*). */
  readonly argument: Evaluate | undefined
  readonly distinct: boolean
}

interface Group {
  /** Its keys, then the states of its aggregates. */
  readonly cells: unknown[]
  /** By column, the values seen; for DISTINCT. */
  seen: readonly (KeyMap<true> | undefined)[]
}

interface Grouping {
  readonly run: QueryRun
  readonly share: MemoryShare
  readonly keys: readonly Evaluate[]
  readonly columns: readonly Column[]
  /** Whether any of them is. */
  readonly isDistinct: boolean
  /** Memory of a group beside its keys. */
  readonly groupBytes: number
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

/** Memory of a group without columns and keys, and of a column in it. */
const emptyGroupBytes = 160
const stateBytes = 96

/** `share`: what it may hold; asked for when operators are made, though these may be made later. */
export function hashed(node: GroupNode, input: Stream, run: QueryRun, share: MemoryShare = run.memory.share()): Stream {
  const columns = node.aggregates.map((aggregate): Column => ({
    aggregate: aggregateOf(aggregate),
    argument: aggregate.argument === undefined ? undefined : compile(aggregate.argument, run),
    distinct: aggregate.distinct,
  }))
  const grouping: Grouping = { run, share, keys: node.keys.map((key) => compile(key, run)), columns, isDistinct: columns.some(({ distinct }) => distinct), groupBytes: columns.reduce((sum, { distinct }) => sum + stateBytes + (distinct ? mapBytes : 0), emptyGroupBytes) }
  return () => inPasses([input], run, share, ([rows], pass) => groupsOfPass(grouping, rows!, pass))
}

async function* groupsOfPass(grouping: Grouping, input: Stream, pass: Pass): AsyncGenerator<Batch> {
  const { run, keys, share } = grouping
  const held: Held = { groups: newKeyMap(keys.length), inOrder: [], pass, seenBytes: 0, unseen: undefined }
  const file = openSpillFile(run)
  /** Of one row after the other: none of them is kept. */
  const values: EngineValue[] = []
  const unseen = (): Partitions => (held.unseen ??= createPartitions(run, share, file, 0))
  try {
    if (keys.length === 0) groupOf(grouping, held, [])
    for await (const batch of input()) {
      await pace(run, batch.length)
      for (const row of batch) {
        if (pass.isFirst) evaluate(grouping, row, values)
        addRow(grouping, held, pass.isFirst ? values : row, unseen)
      }
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
function evaluate({ keys, columns }: Grouping, row: EngineRow, values: EngineValue[]): void {
  let index = 0
  for (const key of keys) values[index++] = key(row)
  for (const { argument } of columns) values[index++] = argument === undefined ? 1 : argument(row)
}

function addRow(grouping: Grouping, held: Held, row: EngineRow, unseen: () => Partitions): void {
  const { keys, columns } = grouping
  const group = groupOf(grouping, held, row)
  if (group === undefined) return
  const { cells, seen } = group
  for (let index = 0; index < columns.length; index++) {
    const cell = keys.length + index
    const value = row[cell]!
    if (value === null) continue
    const known = seen[index]
    if (known !== undefined) {
      const key = [value]
      const hash = hashOfKey(key, 1)
      if (hasKey(known, key, hash)) continue
      if (!admitSeen(held, key)) {
        const entry = [...row.slice(0, keys.length), index, value]
        unseen().add(hashOfKey(entry, entry.length), entry)
        continue
      }
      put(known, key, hash, true)
    }
    cells[cell] = columns[index]!.aggregate.add(cells[cell], value)
  }
}

function admitSeen(held: Held, key: EngineRow): boolean {
  const bytes = keyBytes(key, 1)
  if (!held.pass.admit(bytes)) return false
  held.seenBytes += bytes
  return true
}

/** The row's group; undefined when it is left to a later pass. */
function groupOf(grouping: Grouping, { groups, inOrder, pass }: Held, row: EngineRow): Group | undefined {
  const width = grouping.keys.length
  const hash = hashOfKey(row, width)
  const known = lookUp(groups, row, hash)
  if (known !== undefined) return known
  if (!pass.admit(grouping.groupBytes + rowBytes(row, width))) {
    pass.defer(0, hash, row.slice())
    return undefined
  }
  const group = newGroup(grouping, row)
  put(groups, row, hash, group)
  inOrder.push(group)
  return group
}

const noneSeen: Group['seen'] = []

function newGroup({ keys, columns, isDistinct }: Grouping, row: EngineRow): Group {
  const cells = newRow<unknown>(keys.length + columns.length)
  for (let index = 0; index < keys.length; index++) cells[index] = row[index]
  for (let index = 0; index < columns.length; index++) cells[keys.length + index] = columns[index]!.aggregate.init()
  return { cells, seen: isDistinct ? columns.map(({ distinct }) => (distinct ? newKeyMap<true>(1) : undefined)) : noneSeen }
}

/** Each distinct value that was left over, once: those that are held were not seen there. */
async function addUnseen({ run, share, keys, columns }: Grouping, held: Held, unseen: Partitions): Promise<void> {
  for (const group of held.inOrder) group.seen = noneSeen
  share.give(held.seenBytes)
  for (const values of await unseen.finish()) {
    const once = inPasses([() => values.read()], run, share, ([rows], pass) => firsts(rows!, pass, run), 1)
    for await (const batch of once) {
      for (const entry of batch) {
        const { cells } = lookUp(held.groups, entry, hashOfKey(entry, keys.length))!
        const index = entry[keys.length] as number
        const cell = keys.length + index
        cells[cell] = columns[index]!.aggregate.add(cells[cell], entry[keys.length + 1]!)
      }
    }
  }
}

async function* finished({ run, keys, columns }: Grouping, { inOrder }: Held): AsyncGenerator<Batch> {
  for (let from = 0; from < inOrder.length; from += batchRows) {
    const batch = inOrder.slice(from, from + batchRows)
    await pace(run, batch.length)
    yield batch.map(({ cells }) => cells.map((cell, index) => (index < keys.length ? cell as EngineValue : columns[index - keys.length]!.aggregate.value(cell))))
  }
}
