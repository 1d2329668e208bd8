/** When reading rows one by one by their keys costs less than scanning their table. */
import { singleRange } from '../../execute/access.ts'
import type { ScanNode } from '../node.ts'
import { readStatsOf, snapshotOf } from '../query-run.ts'
import type { QueryRun } from '../query-run.ts'
import { scanAccess } from '../scan.ts'

/** So many keys are looked up without knowing how many rows a scan would read. */
export const keysAlways = 64
/** A look-up costs about as much as scanning so many rows, holding them and asking for a key. */
const rowsPerKey = 100
/** Rows of the other side that are held at most to find out. */
const rowsMax = 8_192

/** For how many keys look-ups cost less than the scan. */
export async function lookupsMax(scan: ScanNode, run: QueryRun): Promise<number> {
  return Math.min(rowsMax, await scannedRows(scan, run) / rowsPerKey)
}

/** How many rows a scan would go through: known without reading them, but for what lies in memory. */
async function scannedRows(node: ScanNode, run: QueryRun): Promise<number> {
  const range = singleRange(scanAccess(node, run))
  if (range === undefined) return 0
  const { signal } = run
  const scan = { table: node.table, ...range, predicate: [], ordered: false, columns: [], ...(signal === undefined ? {} : { signal }) }
  const [count] = await run.engine.aggregate(snapshotOf(run), scan, [{ function: 'count' }], readStatsOf(run, node))
  return Number(count)
}
