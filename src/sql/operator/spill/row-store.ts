/** Rows that are read more than once, in their order: in memory, and what does not fit there in a file. */
import type { SpilledRun, SpillFile } from '../../../engine/engine.ts'
import { discardSpillFile, openSpillFile } from '../query-run.ts'
import type { Batch, QueryRun } from '../query-run.ts'
import { rowBytes } from './query-memory.ts'
import type { MemoryShare } from './query-memory.ts'

export interface RowStore {
  /** Of the rows, as they are given. */
  readonly batchCount: number
  append(batch: Batch): Promise<void>
  /** Those after the first `from` batches; whoever reads also gets what is appended meanwhile, but nothing once it has ended. */
  read(from?: number): AsyncGenerator<Batch>
  discard(): Promise<void>
}

export function createRowStore(run: QueryRun, share: MemoryShare): RowStore {
  const held: Batch[] = []
  let heldBytes = 0
  let file: SpillFile | undefined
  let spilled: SpilledRun | undefined
  return {
    get batchCount() {
      return held.length + (spilled?.blockCount ?? 0)
    },
    async append(batch) {
      const bytes = batch.reduce((sum, row) => sum + rowBytes(row), 0)
      if (spilled === undefined && share.take(bytes)) {
        held.push(batch)
        heldBytes += bytes
        return
      }
      file ??= openSpillFile(run)
      spilled ??= file.newRun()
      await spilled.append(batch)
    },
    async *read(from = 0) {
      for (let at = from; at < held.length; at++) yield held[at]!
      if (spilled !== undefined) yield* spilled.read(Math.max(0, from - held.length))
    },
    async discard() {
      held.length = 0
      share.give(heldBytes)
      heldBytes = 0
      if (file !== undefined) await discardSpillFile(run, file)
    },
  }
}
