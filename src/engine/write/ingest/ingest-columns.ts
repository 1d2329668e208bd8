/**
 * Ingests into a staged table: rows that come in the order of their keys go to table files of all shards, without the log.
 * Nobody sees them before the staged table is published, which is one statement, so a crash leaves all or nothing. While the
 * rows of one block are written by another thread, those of the next are put in order here: two are in memory at a time.
 */
import type { EngineColumns } from '../../engine.ts'
import { allEnded } from '../../read/all-ended.ts'
import type { Shards } from '../../shards/shards.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import type { TreeIngest } from '../../../lsm/tree.ts'
import type { ColumnScratch } from '../columns/column-scratch.ts'
import { createColumnBlock } from './column-block.ts'
import { orderRows } from './order-rows.ts'
import type { ShardRows } from './order-rows.ts'
import type { StagedIngest } from './staged-ingest.ts'

/** Of a block. */
interface TakenRows {
  readonly byShard: ShardRows
  readonly free: () => void
}

/** See `Engine.ingestStaged`. */
export function ingestColumns(shards: Shards, access: TableAccess, scratch: ColumnScratch): StagedIngest<EngineColumns> | undefined {
  const ingests = openIngests(shards, access)
  if (ingests === undefined) return undefined
  const lastKeys: (Uint8Array | undefined)[] = ingests.map(() => undefined)
  const kind = access.keys.form === 'i64' ? 'i64' : 'bytes'
  let isEnded = false
  /** The rows that were taken last are in the files, with those before. Its failure reaches whoever calls next. */
  let written = Promise.resolve()

  /** Rows in an order in which they can be written; undefined where they cannot, or there is no memory. */
  function take(columns: EngineColumns): TakenRows | undefined {
    const firstRowId = access.state.nextRowId ?? 0
    const block = createColumnBlock(scratch, access, columns, firstRowId)
    if (block === undefined) return undefined
    const byShard = orderRows(shards.kernel.memory, kind, block, lastKeys)
    if (byShard === undefined) {
      block.free()
      return undefined
    }
    if (access.schema.hiddenKey) access.state.nextRowId = firstRowId + columns.rowCount
    return { byShard, free: block.free }
  }

  async function write({ byShard, free }: TakenRows): Promise<void> {
    try {
      await allEnded(byShard.flatMap((rows, shard) => (rows === undefined ? [] : [ingests![shard]!.append(rows)])))
    } finally {
      free()
    }
  }

  return {
    async add(columns) {
      shards.assertOpen()
      if (isEnded) return false
      // While those before are written.
      const early = take(columns)
      await written.catch((error: unknown) => {
        early?.free()
        throw error
      })
      // Those before may have had the memory.
      const taken = early ?? take(columns)
      if (taken === undefined) return false
      written = write(taken)
      written.catch(() => {})
      return true
    },
    async finish() {
      if (isEnded) return
      await written
      await allEnded(ingests.map((ingest) => ingest.publish()))
      isEnded = true
    },
    async abandon() {
      if (isEnded) return
      isEnded = true
      await written.catch(() => {})
      await allEnded(ingests.map((ingest) => ingest.abandon()))
    },
  }
}

/** Undefined where one of the trees takes none: they are asked in one step and all have the same memory, so the first refuses already. */
function openIngests({ trees }: Shards, { schema: { tableId } }: TableAccess): readonly TreeIngest[] | undefined {
  const ingests: TreeIngest[] = []
  for (const tree of trees) {
    const ingest = tree.ingest?.(tableId, trees.length)
    if (ingest === undefined) return undefined
    ingests.push(ingest)
  }
  return ingests
}
