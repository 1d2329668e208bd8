/** Scans: stretch by stretch, the direct way or through the merge, to pages in key order. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { createArena } from '../state/arena.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { Page } from '../page.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { ReadStats, ScanCursor, ScanRequest } from '../tree.ts'
import type { View } from '../state/view.ts'
import { storedOrdinals } from '../vector/scan-columns.ts'
import { createDirectReader } from './direct/direct-rows.ts'
import type { DirectReader, DirectRowGroup } from './direct/direct-rows.ts'
import type { RowsWithin } from './direct/select-rows.ts'
import { directPage, firstPart, groupWithin, mergedPage } from './pages.ts'
import type { PageRequest } from './pages.ts'
import { keyChunk } from './row-group-columns.ts'
import { loadCovers, openScanSources, smallPageRows } from './scan-sources.ts'
import type { ScanSources } from './scan-sources.ts'
import type { Stretch } from './stretches.ts'

interface ScanState {
  readonly sources: ScanSources
  readonly direct: DirectReader
  readonly page: PageRequest
  readonly pace: Pace | undefined
  stretch: Stretch | undefined
  /** No page was given out yet of a scan that starts small. */
  startsSmall: boolean
  /** What is left of a row group whose first rows were given out. */
  rest: { readonly group: DirectRowGroup; readonly within: RowsWithin } | undefined
  closed: boolean
}

/** A cursor over `view`, which the caller keeps pinned until it is closed. */
export function openScan(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, stats?: ReadStats): ScanCursor {
  const open = (): ScanState => openState(kernel, view, sequence, shape, request, stats)
  const covers = loadCovers(view, request, stats)
  let state = covers === undefined ? open() : undefined
  let isClosed = false
  // Whoever asks for a page is told.
  covers?.catch(() => undefined)
  return {
    async next() {
      if (state === undefined) {
        await covers
        if (isClosed) throw closedError()
        state = open()
      }
      return nextPage(state)
    },
    close() {
      if (isClosed) return
      isClosed = true
      if (state !== undefined) closeState(state)
    },
  }
}

const closedError = (): LsmtError => new LsmtError('55000', 'the scan is closed')

function openState(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, stats?: ReadStats): ScanState {
  const sources = openScanSources(kernel, view, sequence, shape, request, request.columns, stats)
  const { context, predicate, columns } = sources
  const wanted = [...new Set([...storedOrdinals(shape.layout.columns.length, request.computed, request.columns), ...(request.keys === false ? [] : [keyChunk(context).name])])]
  return {
    sources,
    direct: createDirectReader(context, { predicate, wanted }),
    page: { context, columns, wanted: request.columns, predicate, arena: createArena(kernel.heap) },
    pace: request.pace,
    stretch: undefined,
    startsSmall: request.startsSmall === true,
    rest: undefined,
    closed: false,
  }
}

function closeState(state: ScanState): void {
  state.closed = true
  state.sources.close()
  state.direct.close()
  state.page.arena.free()
}

async function nextPage(state: ScanState): Promise<Page | undefined> {
  const { page, pace } = state
  for (;;) {
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    if (state.closed) throw closedError()
    page.arena.reset()
    if (state.stretch === undefined) {
      const coming = state.sources.plan.next()
      const stretch = coming instanceof Promise ? await coming : coming
      if (state.closed) throw closedError()
      if (stretch === undefined) return undefined
      openStretch(state, stretch)
    }
    const coming = state.stretch!.kind === 'direct' ? nextDirect(state) : nextMerged(state)
    const next = coming instanceof Promise ? await coming : coming
    if (next === 'end') state.stretch = undefined
    else if (next !== undefined) return next
  }
}

function openStretch(state: ScanState, stretch: Stretch): void {
  const { sources: { merge, memtables }, direct } = state
  state.stretch = stretch
  if (stretch.kind === 'direct') direct.open(stretch)
  else merge.open(stretch.lower, stretch.upper, stretch.memtablesOnly ? memtables : undefined)
}

/** At once where nothing must be read. */
function nextDirect(state: ScanState): Page | 'end' | Promise<Page | 'end'> {
  const { direct, page, rest } = state
  state.rest = undefined
  if (rest !== undefined) return directPage(page, groupWithin(page, rest.group, rest.within))
  const next = direct.next()
  return next instanceof Promise ? next.then((group) => groupPage(state, group)) : groupPage(state, next)
}

/** The page of a row group; the first one of a scan that starts small has its first rows, and the next one the others. */
function groupPage(state: ScanState, group: DirectRowGroup | undefined): Page | 'end' {
  const { page, startsSmall } = state
  if (group === undefined) return 'end'
  state.startsSmall = false
  if (!startsSmall) return directPage(page, group)
  const within = firstPart(page, group, smallPageRows)
  if (group.selectedCount > smallPageRows) state.rest = { group, within: page.context.reverse ? { first: 0, end: within.first } : { first: within.end, end: group.rowCount } }
  return directPage(page, groupWithin(page, group, within))
}

/** undefined when the rows that came next are all filtered out. */
async function nextMerged({ sources: { merge }, page }: ScanState): Promise<Page | 'end' | undefined> {
  const rows = await merge.next()
  return rows === undefined ? 'end' : mergedPage(page, rows)
}
