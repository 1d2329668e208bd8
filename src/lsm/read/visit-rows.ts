/** All rows of a scan, for work that does not hand pages out: row groups of direct stretches, and merged rows. */
import type { DirectReader, DirectRowGroup, DirectStretch } from './direct/direct-rows.ts'
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
    await visitDirect(direct, stretch, pace, visitor.rowGroup)
  }
  await direct.finish()
}

/** The row groups of one stretch. */
export async function visitDirect(direct: DirectReader, stretch: DirectStretch, pace: Pace | undefined, visit: (group: DirectRowGroup) => void): Promise<void> {
  direct.open(stretch)
  for (;;) {
    const next = direct.next()
    const group = next instanceof Promise ? await next : next
    if (group === undefined) return
    visit(group)
    const pause = pace?.turn()
    if (pause !== undefined) await pause
  }
}
