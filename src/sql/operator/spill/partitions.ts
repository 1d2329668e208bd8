/** Rows by the hash of their key in runs of one file: all rows of a key are in the same run. */
import type { EngineRow, SpilledRun, SpillFile } from '../../../engine/engine.ts'
import type { QueryRun } from '../query-run.ts'
import { rehashed } from './key-hash.ts'
import { rowBytes } from './query-memory.ts'
import type { MemoryShare } from './query-memory.ts'

export const partitionCount = 16

export interface Partitions {
  /** `hash`: of the row's key. */
  add(hash: number, row: EngineRow): void
  /** Whether the partition of such keys has rows. */
  has(hash: number): boolean
  /** To be waited for after each batch: writes what has grown to a block. */
  settle(): Promise<void>
  /** Writes the rest; the runs by partition, of which some are empty. */
  finish(): Promise<readonly SpilledRun[]>
}

interface Partition {
  readonly written: SpilledRun
  rows: EngineRow[]
  bytes: number
}

/** `level` chooses the hash: rows of one partition have to be told apart by another. */
export function createPartitions(run: QueryRun, share: MemoryShare, file: SpillFile, level: number): Partitions {
  const partitions = Array.from({ length: partitionCount }, (): Partition => ({ written: file.newRun(), rows: [], bytes: 0 }))
  const partitionOf = (hash: number): Partition => partitions[rehashed(hash, level) % partitionCount]!
  const write = async (partition: Partition): Promise<void> => {
    const { rows, bytes, written } = partition
    partition.rows = []
    partition.bytes = 0
    await written.append(rows)
    share.give(bytes)
  }
  const bytesMax = run.spill.blockBytes * 2
  return {
    add(hash, row) {
      const partition = partitionOf(hash)
      const bytes = rowBytes(row)
      share.need(bytes)
      partition.rows.push(row)
      partition.bytes += bytes
    },
    has(hash) {
      const { rows, written } = partitionOf(hash)
      return rows.length > 0 || written.rowCount > 0
    },
    async settle() {
      for (const partition of partitions) if (partition.bytes >= bytesMax) await write(partition)
    },
    async finish() {
      for (const partition of partitions) if (partition.rows.length > 0) await write(partition)
      return partitions.map(({ written }) => written)
    },
  }
}
