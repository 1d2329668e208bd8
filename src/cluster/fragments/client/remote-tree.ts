/**
 * The reads of a shard's tree that is on another node, so that all that is built upon trees works over a mix of both.
 * Rows are found, filtered, aggregated and grouped there; what comes here is what a local tree would give.
 */
import { LsmtError } from '../../../errors.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { AggregatePartial, AggregateRequest, PointFetch, ReadStats, RowHandle, ScanCursor, ScanRequest, Tree } from '../../../lsm/tree.ts'
import { scanKinds } from '../../../lsm/vector/scan-columns.ts'
import type { ReadLevel } from '../../replication/event.ts'
import { readPartials, writeAggregates } from '../wire/aggregates.ts'
import { methods, readSnapshotAnswer, writeIds, writeSnapshotQuestion, writeView } from '../wire/questions.ts'
import { writeScan } from '../wire/scan-requests.ts'
import type { AskedTable } from './asked-table.ts'
import { createAskedTable } from './asked-table.ts'
import { askRows } from './ask-rows.ts'
import type { ClientState, RemoteTreeOptions } from './client-state.ts'
import { askOnce, askShort, askStream, signalOf, written } from './peer.ts'
import { receivePage } from './receive-page.ts'
import type { PageShape, ReceivedPage } from './receive-page.ts'
import { remoteRow } from './remote-row.ts'
import { layerOf } from './remote-view.ts'
import type { RemoteSnapshot, RemoteView } from './remote-view.ts'

export interface SnapshotOptions {
  readonly level: ReadLevel
  /** The shard must show at least this much. */
  readonly minSequence?: number
  readonly signal?: AbortSignal | undefined
}

export interface RemoteTree extends Pick<Tree, 'get' | 'scan' | 'aggregate'> {
  /** Takes a snapshot where the shard is led. */
  takeSnapshot(options: SnapshotOptions): Promise<RemoteSnapshot>
  /** A write became visible: what was read before it is the newest state no more. */
  forgetNewest(): void
}

/** A remote tree's own. */
interface TreeState extends RemoteTreeOptions {
  readonly client: ClientState
  readonly newest: RemoteView
}

export function createRemoteTree(client: ClientState, options: RemoteTreeOptions): RemoteTree {
  const newest: RemoteView = { node: options.where, question: () => ({ kind: 'newest', shard: options.shard }), ready: () => undefined, tables: new Map() }
  const state: TreeState = { ...options, client, newest }
  return {
    takeSnapshot: (wanted) => takeSnapshot(state, wanted),
    forgetNewest() {
      for (const table of newest.tables.values()) table.forget()
    },
    get: (snapshot, tableId, key, keyBytes, stats) => get(state, snapshot === undefined ? newest : layerOf(snapshot).remote, tableId, key, keyBytes, stats),
    scan: (snapshot, request, stats) => scan(state, layerOf(snapshot).remote, request, stats),
    aggregate: (snapshot, request, aggregates, stats) => aggregate(state, layerOf(snapshot).remote, request, aggregates, stats),
  }
}

async function takeSnapshot({ client: { channel, timeoutMs, nextId }, shard, where }: TreeState, { level, minSequence = 0, signal }: SnapshotOptions): Promise<RemoteSnapshot> {
  const node = where(), id = nextId()
  const letGo = (): void => {
    // When this gets lost the other node lets go of it by itself, as soon as the connection ends or it was idle for long.
    channel.request(node, methods.release, [written((writer) => writeIds(writer, [id]))], { timeoutMs }).catch(() => {})
  }
  try {
    const reader = await askShort(channel, node, methods.snapshot, [written((writer) => writeSnapshotQuestion(writer, { shard, id, level, minSequence }))], timeoutMs, signal)
    return openSnapshot(node, id, readSnapshotAnswer(reader), letGo)
  } catch (error) {
    letGo()
    throw error
  }
}

function openSnapshot(node: string, id: number, answer: ReturnType<typeof readSnapshotAnswer>, letGo: () => void): RemoteSnapshot {
  let isReleased = false
  return {
    ...answer, node,
    remote: { node: () => node, question: () => ({ kind: 'snapshot', id, batchCount: 0 }), ready: () => undefined, tables: new Map() },
    release() {
      if (isReleased) return
      isReleased = true
      letGo()
    },
  }
}

function layoutOf({ layouts }: TreeState, tableId: number): TableLayout {
  const layout = layouts.get(tableId)
  if (layout === undefined) throw new LsmtError('40001', `table ${tableId} is not known here any more: it was changed meanwhile`)
  return layout
}

function get(state: TreeState, view: RemoteView, tableId: number, key: Pointer, keyBytes: number, stats: ReadStats | undefined): RowHandle | PointFetch | undefined {
  const { client: { kernel: { memory }, scratch } } = state
  const table = askedTable(state, view, tableId)
  const known = table.known(memory.buffer.toString('latin1', key, key + keyBytes))
  if (known !== undefined) return known.row && remoteRow(scratch, known.row)
  const wanted = memory.u8.slice(key, key + keyBytes)
  return { fetch: async () => (await table.asked.ask([wanted], stats))(), fetchSync: undefined, files: [], rowGroup: undefined, elsewhere: { asked: table.asked, key: wanted } }
}

function askedTable(state: TreeState, view: RemoteView, tableId: number): AskedTable {
  const known = view.tables.get(tableId)
  if (known !== undefined) return known
  const table = createAskedTable(view !== state.newest, (keys, stats) => askRows(state.client, view, layoutOf(state, tableId), keys, stats))
  view.tables.set(tableId, table)
  return table
}

/** How a scan is asked of a view. */
function scanQuestion(view: RemoteView, layout: TableLayout, request: ScanRequest): Uint8Array {
  return written((writer) => {
    writeView(writer, view.question())
    writeScan(writer, layout, request)
  })
}

/** The question is sent when the first page is asked for. */
function scan(state: TreeState, view: RemoteView, request: ScanRequest, stats: ReadStats | undefined): ScanCursor {
  const { client: { channel, kernel } } = state
  const layout = layoutOf(state, request.tableId), kinds = scanKinds(layout.columns, request.computed)
  const shape: PageShape = { ordinals: request.columns, kinds: request.columns.map((ordinal) => kinds[ordinal]!), hasKeys: request.keys !== false }
  const ending = new AbortController()
  let pages: AsyncGenerator<Uint8Array, void, void> | undefined
  let current: ReceivedPage | undefined

  function freeCurrent(): void {
    current?.free()
    current = undefined
  }

  async function open(): Promise<AsyncGenerator<Uint8Array, void, void>> {
    const signal = signalOf(request.pace)
    await view.ready()
    return askStream(channel, view.node(), methods.scan, [scanQuestion(view, layout, request)], signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]), stats)
  }

  return {
    async next() {
      freeCurrent()
      const pause = request.pace?.turn()
      if (pause !== undefined) await pause
      pages ??= await open()
      const { value, done } = await pages.next()
      if (done === true || ending.signal.aborted) return undefined
      current = receivePage(kernel, shape, value)
      return current.page
    },
    close() {
      freeCurrent()
      if (ending.signal.aborted) return
      ending.abort(new LsmtError('57014', 'the scan was closed'))
      // What was left to come is of no interest, and how its stream ended neither.
      pages?.return().catch(() => {})
    },
  }
}

async function aggregate(state: TreeState, view: RemoteView, request: ScanRequest, aggregates: readonly AggregateRequest[], stats: ReadStats | undefined): Promise<readonly AggregatePartial[]> {
  const signal = signalOf(request.pace)
  const layout = layoutOf(state, request.tableId)
  await view.ready()
  const body = [scanQuestion(view, layout, request), written((writer) => writeAggregates(writer, aggregates))]
  const reader = await askOnce(state.client.channel, view.node(), methods.aggregate, body, signal, stats)
  const partials = readPartials(reader, scanKinds(layout.columns, request.computed), aggregates)
  reader.end()
  return partials
}
