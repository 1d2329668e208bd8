/**
 * UPDATE and DELETE of rows by key: read under lock, change, write. A row may move to another key; that key must be
 * locked as well before it can be judged, so the statement then starts again with both locked (all at once, as
 * locks.ts wants it), until the keys it moves to are among those it has.
 */
import { checkRow } from '../check-value.ts'
import { readRow } from '../codec/read-row.ts'
import { checkKey, keyRange } from '../codec/key-codec.ts'
import type { EngineRow, EngineRowsWhere, KeyBound, PrepareRows } from '../engine.ts'
import type { ReadStats, Snapshot } from '../../lsm/tree.ts'
import { aggregateShards } from '../read/aggregate.ts'
import { readNewest } from '../read/point-read.ts'
import { scanShards } from '../read/scan.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { buildParts, checkCurrent, duplicateKey, keyHashes, keyIdentities, keyOf } from './writer.ts'
import type { Writer } from './writer.ts'

export type RowChange = (row: EngineRow) => EngineRow | 'delete' | 'keep'

/** Changes the rows of `keys`; returns how many were changed. */
export async function changeRows(writer: Writer, access: TableAccess, keys: readonly EngineRow[], change: RowChange, prepare?: PrepareRows, stats?: ReadStats): Promise<number> {
  const checked = keys.map((key) => checkKey(access.keys, key))
  const identities = keyIdentities(writer, access, checked, access.keyInKey)
  const wanted = [...new Map(checked.map((key, i) => [identities[i]!, key])).values()]
  let locked = keyHashes(writer, access, wanted, access.keyInKey)
  for (;;) {
    const release = await writer.locksOf(access).lockKeys(locked)
    try {
      const changes = await readChanges(writer, access, wanted, change, prepare, stats)
      const moved = keyHashes(writer, access, changes.moved, access.keyInRow)
      const more = new Set([...locked, ...moved])
      if (more.size === new Set(locked).size) return await writeChanges(writer, access, changes, stats)
      locked = Uint32Array.from(more)
    } finally {
      release()
    }
  }
}

interface Changes {
  /** New rows, and those of them that have another key than before. */
  readonly puts: readonly EngineRow[]
  readonly moved: readonly EngineRow[]
  /** Keys of rows that are deleted or moved away. */
  readonly deletes: readonly EngineRow[]
  readonly count: number
}

async function readChanges(writer: Writer, access: TableAccess, keys: readonly EngineRow[], change: RowChange, prepare: PrepareRows | undefined, stats: ReadStats | undefined): Promise<Changes> {
  const columns = access.schema.columns.map((_, ordinal) => ordinal)
  const found: EngineRow[] = []
  await readNewest(writer.shards, access, keys, access.keyInKey, (index, handle) => {
    if (handle !== undefined) found.push(readRow(writer.shards.kernel.memory, access, handle, columns, keys[index]!))
  }, stats)
  if (prepare !== undefined) await prepare(found)
  return changesOf(writer, access, found, change)
}

function changesOf(writer: Writer, access: TableAccess, found: readonly EngineRow[], change: RowChange): Changes {
  const puts: EngineRow[] = []
  const moved: EngineRow[] = []
  const deletes: EngineRow[] = []
  let count = 0
  for (const row of found) {
    const becomes = change(row)
    if (becomes === 'keep') continue
    count++
    const next = becomes === 'delete' ? undefined : checkRow(access.schema, becomes)
    const stays = next !== undefined && hasSameKey(writer, access, row, next)
    if (!stays) deletes.push(keyOf(access, row))
    if (next !== undefined) puts.push(next)
    if (next !== undefined && !stays) moved.push(next)
  }
  return { puts, moved, deletes, count }
}

function hasSameKey(writer: Writer, access: TableAccess, before: EngineRow, after: EngineRow): boolean {
  if (access.keyInRow.every((ordinal) => Object.is(before[ordinal], after[ordinal]))) return true
  const [a, b] = keyIdentities(writer, access, [before, after], access.keyInRow)
  return a === b
}

/** Writes deletes first, then puts: a row may take the place that another leaves. */
async function writeChanges(writer: Writer, access: TableAccess, changes: Changes, stats: ReadStats | undefined): Promise<number> {
  if (changes.count === 0) {
    // A dropped table has no rows: that nothing was found says nothing then.
    checkCurrent(access)
    return 0
  }
  if (changes.moved.length > 0) await refuseTakenKeys(writer, access, changes, stats)
  const parts = buildParts(writer, (builder) => {
    builder.delete(access, changes.deletes)
    builder.put(access, changes.puts)
  })
  await writer.commit(access, parts, changes.count)
  return changes.count
}

/** 23505 when a moved row's key exists once all is applied. */
async function refuseTakenKeys(writer: Writer, access: TableAccess, { puts, moved, deletes }: Changes, stats: ReadStats | undefined): Promise<void> {
  const seen = new Set<string>()
  for (const [i, identity] of keyIdentities(writer, access, puts, access.keyInRow).entries()) {
    if (seen.has(identity)) throw duplicateKey(access, puts[i]!)
    seen.add(identity)
  }
  const left = new Set(keyIdentities(writer, access, deletes, access.keyInKey))
  const identities = keyIdentities(writer, access, moved, access.keyInRow)
  await readNewest(writer.shards, access, moved, access.keyInRow, (index, found) => {
    if (found !== undefined && !left.has(identities[index]!)) throw duplicateKey(access, moved[index]!)
  }, stats)
}

/** Changes the rows that a scan finds while nobody else writes the table; returns how many were changed. */
export async function changeRowsWhere(writer: Writer, access: TableAccess, where: EngineRowsWhere, change: RowChange, prepare?: PrepareRows, stats?: ReadStats): Promise<number> {
  const columns = access.schema.columns.map((_, ordinal) => ordinal)
  return await whileAlone(writer, access, async (snapshots) => {
    const found: EngineRow[] = []
    for await (const rows of scanShards(writer.shards, snapshots, access, { ...where, table: access.schema, ordered: true, columns }, stats)) {
      for (const row of rows) found.push(row)
    }
    if (prepare !== undefined) await prepare(found)
    return await writeChanges(writer, access, changesOf(writer, access, found, change), stats)
  })
}

/** Deletes the rows that a scan finds, all those of a range without reading more than their count; returns how many. */
export async function deleteRowsWhere(writer: Writer, access: TableAccess, where: EngineRowsWhere, stats?: ReadStats): Promise<number> {
  if (where.predicate.length > 0 || (where.conditions ?? []).length > 0) return await changeRowsWhere(writer, access, where, () => 'delete', undefined, stats)
  return await whileAlone(writer, access, async (snapshots) => {
    const range = keyRange(access.keys, where.lower, where.upper)
    if (range === 'empty') return 0
    const [count] = await aggregateShards(writer.shards, snapshots, access, { ...where, table: access.schema, ordered: false, columns: [] }, [{ function: 'count' }], stats)
    if (count !== 0) await writer.commit(access, buildParts(writer, (builder) => builder.deleteRange(access, range)), Number(count))
    return Number(count)
  })
}

/** Runs with the table locked, over a snapshot of all that was written to it. */
async function whileAlone(writer: Writer, access: TableAccess, run: (snapshots: readonly Snapshot[]) => Promise<number>): Promise<number> {
  const release = await writer.locksOf(access).lockTable()
  try {
    writer.shards.assertOpen()
    checkCurrent(access)
    const snapshot = writer.shards.snapshot()
    try {
      await snapshot.ready
      writer.shards.assertOpen()
      return await run(shardsOf(snapshot))
    } finally {
      snapshot.release()
    }
  } finally {
    release()
  }
}

/** Deletes all keys between two bounds, without reading them. */
export async function deleteKeyRange(writer: Writer, access: TableAccess, lower: KeyBound | undefined, upper: KeyBound | undefined): Promise<void> {
  const range = keyRange(access.keys, lower, upper)
  if (range === 'empty') return
  const parts = buildParts(writer, (builder) => builder.deleteRange(access, range))
  const release = await writer.locksOf(access).lockTable()
  try {
    await writer.commit(access, parts, 0)
  } finally {
    release()
  }
}
