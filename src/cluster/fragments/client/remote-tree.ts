/**
 * The reads of a shard's tree that is on another node, so that all that is built upon trees works over a mix of both.
 * Rows are found, filtered, aggregated and grouped there; what comes here is what a local tree would give.
 */
import { LsmtError } from '../../../errors.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { Groups } from '../../../lsm/groups/group-rows.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { TopRows } from '../../../lsm/top/top-rows.ts'
import type { AggregatePartial, AggregateRequest, PointFetch, ReadStats, ScanCursor, ScanRequest, Tree } from '../../../lsm/tree.ts'
import { scanKinds } from '../../../lsm/vector/scan-columns.ts'
import type { ReadLevel } from '../../replication/event.ts'
import { violation } from '../../transport/frame/frame.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { readPartials, writeAggregates, writeGroupQuestion } from '../wire/aggregates.ts'
import { methods, writeView } from '../wire/questions.ts'
import type { SnapshotAnswer } from '../wire/questions.ts'
import { writeScan } from '../wire/scan-requests.ts'
import { readRankedRow, writeTopQuestion } from '../wire/top-rows.ts'
import { readList } from '../wire/values.ts'
import type { AskedTable } from './asked-table.ts'
import { createAskedTable } from './asked-table.ts'
import { askRows } from './ask-rows.ts'
import type { ClientState, RemoteTreeOptions } from './client-state.ts'
import { askStream, signalOf, written } from './peer.ts'
import { mergeReceived } from './receive-groups.ts'
import { receivePage } from './receive-page.ts'
import type { PageShape, ReceivedPage } from './receive-page.ts'
import { openRemoteOverlay } from './remote-overlay.ts'
import { layerOf } from './remote-view.ts'
import type { RemoteSnapshot, RemoteView } from './remote-view.ts'

export interface SnapshotOptions {
  readonly level: ReadLevel
  /** The shard must show at least this much. */
  readonly minSequence?: number
}

export interface RemoteTree extends Pick<Tree, 'overlay' | 'get' | 'scan' | 'aggregate' | 'groupedAggregate' | 'topRows'> {
  /** Takes a snapshot where the shard is led. */
  takeSnapshot(options: SnapshotOptions): Promise<RemoteSnapshot>
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
    overlay: (below) => openRemoteOverlay(client, layerOf(below)),
    get: (snapshot, tableId, key, keyBytes, stats) => get(state, snapshot === undefined ? newest : layerOf(snapshot).remote, tableId, key, keyBytes, stats),
    scan: (snapshot, request, stats) => scan(state, layerOf(snapshot).remote, request, stats),
    aggregate: (snapshot, request, aggregates, stats) => aggregate(state, layerOf(snapshot).remote, request, aggregates, stats),
    groupedAggregate: (snapshot, request, groups, stats) => groupedAggregate(state, layerOf(snapshot).remote, request, groups, stats),
    topRows: (snapshot, request, top, stats) => topRows(state, layerOf(snapshot).remote, request, top, stats),
  }
}

async function takeSnapshot({ client, shard, where }: TreeState, { level, minSequence = 0 }: SnapshotOptions): Promise<RemoteSnapshot> {
  const node = where(), id = client.nextId()
  try {
    return openSnapshot(client, node, id, await client.nodes.takeSnapshot(node, { shard, id, level, minSequence }))
  } catch (error) {
    client.nodes.letGo(node, id)
    throw error
  }
}

function openSnapshot(client: ClientState, node: string, id: number, answer: SnapshotAnswer): RemoteSnapshot {
  let isReleased = false
  return {
    ...answer, node, id,
    remote: { node: () => node, question: () => ({ kind: 'snapshot', id, batchCount: 0 }), ready: () => undefined, tables: new Map() },
    release() {
      if (isReleased) return
      isReleased = true
      client.nodes.letGo(node, id)
    },
  }
}

function layoutOf({ layouts }: TreeState, tableId: number): TableLayout {
  const layout = layouts.get(tableId)
  if (layout === undefined) throw new LsmtError('40001', `table ${tableId} is not known here any more: it was changed meanwhile`)
  return layout
}

/** Asked of the other node however often, since only it knows what is newest. */
function get(state: TreeState, view: RemoteView, tableId: number, key: Pointer, keyBytes: number, stats: ReadStats | undefined): PointFetch {
  return askedTable(state, view, tableId).read(state.client.kernel.memory.u8.slice(key, key + keyBytes), stats)
}

function askedTable(state: TreeState, view: RemoteView, tableId: number): AskedTable {
  const known = view.tables.get(tableId)
  if (known !== undefined) return known
  const table = createAskedTable((keys, stats) => askRows(state.client, view, layoutOf(state, tableId), keys, stats, (sequence) => state.onRead?.(sequence)))
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

/** Payloads of what is asked over the rows of a scan. */
async function* askOver(state: TreeState, view: RemoteView, method: string, request: ScanRequest, more: (writer: ByteWriter) => void, stats: ReadStats | undefined): AsyncGenerator<Uint8Array, void, void> {
  const signal = signalOf(request.pace)
  const layout = layoutOf(state, request.tableId)
  await view.ready()
  yield* askStream(state.client.channel, view.node(), method, [scanQuestion(view, layout, request), written(more)], signal, stats)
}

async function aggregate(state: TreeState, view: RemoteView, request: ScanRequest, aggregates: readonly AggregateRequest[], stats: ReadStats | undefined): Promise<readonly AggregatePartial[]> {
  const kinds = scanKinds(layoutOf(state, request.tableId).columns, request.computed)
  let answer: readonly AggregatePartial[] | undefined
  for await (const payload of askOver(state, view, methods.aggregate, request, (writer) => writeAggregates(writer, aggregates), stats)) {
    const reader = createByteReader(payload, 'partials')
    if (answer !== undefined) throw reader.wrong('its end', 'no second answer', 'one')
    answer = readPartials(reader, kinds, aggregates)
    reader.end()
  }
  if (answer === undefined) throw violation('an aggregate was answered with nothing')
  return answer
}

async function groupedAggregate(state: TreeState, view: RemoteView, request: ScanRequest, groups: Groups, stats: ReadStats | undefined): Promise<void> {
  const { client: { kernel, groupBudget } } = state
  for await (const payload of askOver(state, view, methods.group, request, (writer) => writeGroupQuestion(writer, groups.work), stats)) {
    mergeReceived(kernel, groupBudget, groups, payload)
    const pause = request.pace?.turn()
    if (pause !== undefined) await pause
  }
}

async function topRows(state: TreeState, view: RemoteView, request: ScanRequest, top: TopRows, stats: ReadStats | undefined): Promise<void> {
  const { columns } = layoutOf(state, request.tableId)
  const rowKinds = [...top.keys.map(({ ordinal }) => ordinal), ...top.others].map((ordinal) => columns[ordinal]!)
  let left = top.limit
  for await (const payload of askOver(state, view, methods.top, request, (writer) => writeTopQuestion(writer, top), stats)) {
    const reader = createByteReader(payload, 'the first rows')
    const rows = readList(reader, 'rows', left, () => readRankedRow(reader, rowKinds))
    reader.end()
    left -= rows.length
    for (const row of rows) top.best.offer({ keys: row.slice(0, top.keys.length), others: row.slice(top.keys.length) })
  }
}
