/** What an engine answers that only reads: a refusal (25006) of all that writes, and transactions that write nothing. */
import type { DiskRoom } from '../../lsm/disk-room.ts'
import { readOnlyRefusal } from '../../lsm/follow/followed-tree.ts'
import type { Engine } from '../engine.ts'
import { beginTransaction } from '../session/transaction.ts'
import type { TransactionFloor } from '../session/transaction.ts'
import type { Shards } from '../shards/shards.ts'
import type { Tables } from '../tables/tables.ts'
import type { ColumnInserter } from '../write/columns/insert-columns.ts'
import { createStatementBuilder } from '../write/statement.ts'
import type { Writer } from '../write/writer.ts'

const refuse = (): Promise<never> => Promise.reject(readOnlyRefusal())

function refuseAtOnce(): never {
  throw readOnlyRefusal()
}

export const refusals = {
  createTable: refuse, dropTable: refuse, alterTable: refuse, truncateTable: refuse,
  insert: refuse, insertText: refuse, insertColumns: refuse, insertOrUpdate: refuse, update: refuse, updateWhere: refuse, deleteWhere: refuse, write: refuse, deleteRange: refuse,
  collectRows: refuseAtOnce, stageTable: refuse, publishStaged: refuse, dropStaged: refuse, request: refuse,
  flush: refuse, compact: refuse, checkpoint: refuse, storeCheckpoint: refuse,
} satisfies Partial<Engine>

export interface ReadingFloor {
  readonly shards: Shards
  readonly tables: Tables
  readonly texts: ColumnInserter
  readonly spillFile: Engine['spillFile']
  readonly room: DiskRoom
}

/** Transactions that write nothing. */
export function beginReading(floor: ReadingFloor): Engine['begin'] {
  // Many engines never begin one.
  let made: TransactionFloor | undefined
  return (written) => beginTransaction((made ??= transactionFloor(floor)), (catalog) => {
    const wanted = written(catalog)
    if (wanted.length > 0) throw readOnlyRefusal()
    return wanted
  })
}

function transactionFloor({ shards, tables, texts, spillFile, room }: ReadingFloor): TransactionFloor {
  const { kernel, trees } = shards
  const rowLengthMax = kernel.heap.byteLength / 16
  const writer: Writer = { shards, builder: createStatementBuilder(kernel.memory, shards.keys, trees.length, rowLengthMax), rowLengthMax, statementBytesMax: rowLengthMax, locksOf: (access) => access.state.locks, afterDoubt: (run) => run(), commit: refuse }
  const committer = { commit: refuse, halfVisible: () => undefined, heldBytes: () => 0, flush: () => {} }
  const admission = { bytesOf: () => 0, tryReserve: () => true, reserve: () => Promise.resolve(), release: () => {}, counts: { waiting: 0, waitedMs: 0 } }
  return { writer, tables, texts, spillFile, floor: { trees, committer, admission, assertOpen: shards.assertOpen, room } }
}
