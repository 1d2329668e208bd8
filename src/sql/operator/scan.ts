/** Rows of a table, narrowed by what the engine can check itself. */
import type { EngineRow, EngineScan } from '../../engine/engine.ts'
import { scanRange } from '../execute/bounds.ts'
import { resolveTerms } from '../execute/terms.ts'
import type { ScanNode } from './node.ts'
import { hold, pace, snapshotOf } from './query-run.ts'
import type { QueryRun, Stream } from './query-run.ts'

/** `repeated`: the rows will be asked for again and again, so they are kept. */
export function scan(node: ScanNode, run: QueryRun, rowsMax: number | undefined, repeated: boolean): Stream {
  const terms = resolveTerms(node.terms, run.values)
  if (terms === undefined || rowsMax === 0) return async function* () {}
  const engineScan: EngineScan = {
    table: node.table,
    ...scanRange(node.table, terms),
    ordered: node.ordered,
    reverse: node.reverse,
    columns: node.columns,
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

/** Reads once, when first asked, and keeps the rows. */
function kept(read: Stream, run: QueryRun): Stream {
  let rows: readonly EngineRow[] | undefined
  return async function* () {
    if (rows === undefined) {
      const collected: EngineRow[] = []
      for await (const batch of read()) {
        for (const row of batch) {
          hold(run, row)
          collected.push(row)
        }
      }
      rows = collected
    }
    yield rows
  }
}
