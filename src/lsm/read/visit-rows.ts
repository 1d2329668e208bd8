/** All rows of a scan, for work that does not hand pages out: row groups of direct stretches, and merged rows. */
import type { DirectReader, DirectRowGroup, DirectStretch } from './direct/direct-rows.ts'
import type { Reading } from './direct/reading.ts'
import type { MergedRows } from './merge/merged-rows.ts'
import type { ScanSources } from './scan-sources.ts'
import type { Pace } from '../../runtime/pace.ts'

export interface RowVisitor {
  readonly rowGroup: (group: DirectRowGroup) => void
  merged(rows: MergedRows): void
}

/** Stretch by stretch, with a look at the pace before each step. */
export async function visitRows({ plan, merge, memtables }: ScanSources, direct: DirectReader, pace: Pace | undefined, visitor: RowVisitor): Promise<void> {
  for (;;) {
    const coming = plan.next()
    const stretch = coming instanceof Promise ? await coming : coming
    if (stretch === undefined) break
    if (stretch.kind === 'merged') {
      merge.open(stretch.lower, stretch.upper, stretch.memtablesOnly ? memtables : undefined)
      for (let rows = await merge.next(); rows !== undefined; rows = await merge.next()) {
        visitor.merged(rows)
        const pause = pace?.turn()
        if (pause !== undefined) await pause
      }
      continue
    }
    const visiting = visitDirect(direct, stretch, pace, visitor.rowGroup)
    if (visiting !== undefined) await visiting
  }
  await direct.finish()
}

/** The row groups of one stretch; without a promise where nothing is to be waited for. */
export function visitDirect(direct: DirectReader, stretch: DirectStretch, pace: Pace | undefined, visit: (group: DirectRowGroup) => void): Reading {
  direct.open(stretch)
  for (let next = direct.next(); next !== undefined; next = direct.next()) {
    if (next instanceof Promise) return visitWaiting(direct, next, pace, visit)
    visit(next)
    const pause = pace?.turn()
    if (pause !== undefined) return pause.then(() => visitWaiting(direct, direct.next(), pace, visit))
  }
  return undefined
}

/** From a row group on. */
async function visitWaiting(direct: DirectReader, first: ReturnType<DirectReader['next']>, pace: Pace | undefined, visit: (group: DirectRowGroup) => void): Promise<void> {
  for (let group = await first; group !== undefined;) {
    visit(group)
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    const next = direct.next()
    group = next instanceof Promise ? await next : next
  }
}
