/** Walks over all shards: rows in key order, column by column, at once where they are in memory. */
import { openWalk } from '../../lsm/read/walk/walk.ts'
import type { ReadStats, RowWalk, Snapshot, WalkedRows, WalkPart, WalkRequest } from '../../lsm/tree.ts'
import { createPace } from '../../runtime/pace.ts'
import { keyRange } from '../codec/key-codec.ts'
import { readVector } from '../codec/read-vector.ts'
import type { ReadKind } from '../codec/read-row.ts'
import type { EngineScan, EngineValue } from '../engine.ts'
import type { EngineWalk, RowColumns } from '../engine-walk.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { rowKinds } from './row-kinds.ts'

const noRows: EngineWalk<EngineValue> = { next: () => undefined, close: () => undefined }

/** undefined: the scan is to be made by `scanShards`, since it filters or computes, or a shard is far away. */
export function walkShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, stats?: ReadStats): EngineWalk<EngineValue> | undefined {
  if (!scan.ordered || scan.predicate.length > 0 || scan.conditions !== undefined || scan.computed !== undefined) return undefined
  const range = keyRange(access.keys, scan.lower, scan.upper)
  if (range === 'empty') return noRows
  const { kernel, turns, assertOpen } = shards
  const request: WalkRequest = { tableId: scan.table.tableId, lower: range.lower, upper: range.upper, reverse: scan.reverse === true, columns: scan.columns, pace: createPace(turns, scan.signal, assertOpen) }
  const parts = walkParts(shards, snapshots, request)
  if (parts === undefined) return undefined
  if (parts.length === 0) return noRows
  const walk = openWalk(kernel, parts, request, scan.limit, stats)
  return engineWalk(shards, walk, rowKinds(access, scan), scan.columns)
}

/** undefined, with nothing held, when a shard cannot be walked. */
function walkParts({ trees }: Shards, snapshots: readonly Snapshot[], request: WalkRequest): readonly WalkPart[] | undefined {
  const parts: WalkPart[] = []
  for (let shard = 0; shard < trees.length; shard++) {
    const part = trees[shard]!.walkPart?.(snapshots[shard]!, request)
    if (part === undefined) {
      for (const each of parts) each.release()
      return undefined
    }
    if (part !== 'nothing') parts.push(part)
  }
  return parts
}

function engineWalk({ kernel: { memory }, texts, assertOpen }: Shards, walk: RowWalk, kinds: readonly ReadKind[], columns: readonly number[]): EngineWalk<EngineValue> {
  const show = (rows: WalkedRows | undefined): RowColumns<EngineValue> | undefined => rows && { rowCount: rows.rowCount, columns: columns.map((ordinal) => readVector(memory, texts, kinds[ordinal]!, rows.vectors[ordinal]!, rows.rowCount)) }
  return {
    next(rowsMax) {
      assertOpen()
      const rows = walk.next(rowsMax)
      return rows instanceof Promise ? rows.then(show) : show(rows)
    },
    close: walk.close,
  }
}
