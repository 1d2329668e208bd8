/** Rows of a table, narrowed by what the engine can check itself. */
import type { EngineExpression, EngineScan, SpilledRun } from '../../engine/engine.ts'
import { scanRange } from '../execute/bounds.ts'
import { resolveTerms } from '../execute/terms.ts'
import type { ScanNode } from './node.ts'
import { openSpillFile, pace, snapshotOf } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { rowBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'

/** `repeated`: the rows will be asked for again and again, so they are kept. `conditions`: what must be true of them as well. */
export function scan(node: ScanNode, run: QueryRun, rowsMax: number | undefined, repeated: boolean, conditions: readonly EngineExpression[] = []): Stream {
  const terms = resolveTerms(node.terms, run.values)
  if (terms === undefined || rowsMax === 0) return async function* () {}
  const engineScan: EngineScan = {
    table: node.table,
    ...scanRange(node.table, terms),
    ordered: node.ordered,
    reverse: node.reverse,
    columns: node.columns,
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(rowsMax === undefined ? {} : { limit: rowsMax }),
    ...(run.signal === undefined ? {} : { signal: run.signal }),
  }
  const read: Stream = async function* () {
    for await (const batch of run.engine.scan(snapshotOf(run), engineScan, run.stats)) {
      await pace(run, batch.length)
      yield batch
    }
  }
  return repeated ? kept(read, run) : read
}

/** Reads once, when first asked, and keeps the rows for the time of the query: in memory, and what does not fit there in a file. */
function kept(read: Stream, run: QueryRun): Stream {
  const share = run.memory.share()
  let rows: Stream | undefined
  return async function* () {
    rows ??= await keepRows(read, run, share)
    yield* rows()
  }
}

async function keepRows(read: Stream, run: QueryRun, share: MemoryShare): Promise<Stream> {
  const held: Batch[] = []
  let spilled: SpilledRun | undefined
  for await (const batch of read()) {
    if (spilled === undefined && share.take(batch.reduce((sum, row) => sum + rowBytes(row), 0))) {
      held.push(batch)
      continue
    }
    spilled ??= openSpillFile(run).newRun()
    await spilled.append(batch)
  }
  return async function* () {
    yield* held
    if (spilled !== undefined) yield* spilled.read()
  }
}
