/** A replica of shard 0 over a storage of the test's, and batches of one small table for it. */
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { assignBaseSequence, assignParticipants, readBatchHeader } from '../../../src/lsm/batch.ts'
import type { Participant } from '../../../src/lsm/batch.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { openReplicatedTree } from '../../../src/lsm/replicated/open-replicated-tree.ts'
import type { ReplicatedEntry, ReplicatedTree, ReplicatedTreeOptions } from '../../../src/lsm/replicated/replicated-tree.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { steppingClock, testTreeOptions } from '../tree/open-test-tree.ts'
import { encodeKey, encodeRow, readPage } from '../tree/tree-rows.ts'

export const table: TableLayout = { tableId: 1, columns: ['i64', 'bytes'], key: [0] }

export function replicaOptions(kernel: Kernel, storage: Storage, more: Partial<ReplicatedTreeOptions> = {}): ReplicatedTreeOptions {
  const { beforePublish: _, ...options } = testTreeOptions(kernel, storage)
  // What is applied in one turn depends on how often the clock is looked at, not on how busy the machine is.
  return { ...options, clock: steppingClock(), ...more }
}

export function openReplica(kernel: Kernel, storage: Storage, more: Partial<ReplicatedTreeOptions> = {}): Promise<ReplicatedTree> {
  return openReplicatedTree(replicaOptions(kernel, storage, more))
}

/** null deletes the key. */
export type Changes = ReadonlyMap<number, string | null>

const key = (number: number): Uint8Array => encodeKey(table, [BigInt(number), null])

export function batchOf(changes: Changes, { defines = false, partCount = 0 } = {}): Uint8Array {
  const builder = createBatchBuilder()
  if (defines) builder.defineTable(table)
  for (const [number, text] of changes) {
    if (text === null) builder.delete(table.tableId, key(number))
    else builder.put(table.tableId, key(number), encodeRow(table, [BigInt(number), Buffer.from(text)]))
  }
  return builder.finish(partCount)
}

/** The batch as an entry at a place of the log; it gets a copy of its own. */
export function entryAt(epoch: number, baseSequence: number, batch: Uint8Array): ReplicatedEntry {
  const placed = batch.slice()
  assignBaseSequence(placed, baseSequence)
  return { epoch, baseSequence, lastSequence: baseSequence + Math.max(1, readBatchHeader(placed).operationCount) - 1, batch: placed }
}

/** The same as this shard's part of a statement over shards 0 and 1. */
export function partAt(epoch: number, baseSequence: number, changes: Changes, transactionId: Uint8Array): ReplicatedEntry {
  const parts: readonly Participant[] = [{ shard: 0, baseSequence }, { shard: 1, baseSequence: 1 }]
  const entry = entryAt(epoch, baseSequence, batchOf(changes, { partCount: 2 }))
  assignParticipants(entry.batch, { transactionId, parts })
  return entry
}

/** Commits, and waits until that is visible. */
export async function commitTo(replica: ReplicatedTree, sequence: number): Promise<void> {
  replica.commit(sequence)
  while (replica.tree.visibleSequence < sequence) await new Promise((resolve) => setImmediate(resolve))
}

/** All rows that are visible, as text by key; undefined while the table is not known. */
export async function rowsOf(kernel: Kernel, tree: Tree): Promise<ReadonlyMap<number, string> | undefined> {
  if (!tree.layouts.has(table.tableId)) return undefined
  const snapshot = tree.snapshot()
  const cursor = tree.scan(snapshot, { tableId: table.tableId, columns: [0, 1], predicate: [] })
  const rows = new Map<number, string>()
  try {
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) {
      for (const { values } of readPage(kernel, page)) rows.set(Number(values[0]), Buffer.from(values[1] as Uint8Array).toString())
    }
    return rows
  } finally {
    cursor.close()
    snapshot.release()
  }
}

/** Everything that the log has after a sequence. */
export async function logAfter(replica: ReplicatedTree, sequence: number, bytesMax = 2_000): Promise<readonly ReplicatedEntry[]> {
  const all: ReplicatedEntry[] = []
  for (;;) {
    const some = await replica.readAfter(all.at(-1)?.lastSequence ?? sequence, bytesMax)
    if (some === undefined) throw new Error(`the log has nothing after ${all.at(-1)?.lastSequence ?? sequence}`)
    if (some.length === 0) return all
    all.push(...some)
  }
}
