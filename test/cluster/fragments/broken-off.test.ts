/** Reads of another node that end early: cancelled, given up, cut off, too large, too slow. */
import { describe, expect, it } from 'vitest'
import { idleMsMax, HeldSnapshots } from '../../../src/cluster/fragments/server/held-snapshots.ts'
import type { HeldSnapshot } from '../../../src/cluster/fragments/server/held-snapshots.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { createGroups } from '../../../src/lsm/groups/groups.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { ScanRequest } from '../../../src/lsm/tree.ts'
import type { EndSignal } from '../../../src/runtime/end-signal.ts'
import { createPace, systemTurns } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { Canceller } from '../../../src/sql/cancel.ts'
import { encodeKey, encodeRow } from '../../lsm/tree/tree-rows.ts'
import { codeOf } from '../transport/test-node.ts'
import { readKey, rowsOf } from './outcome.ts'
import { fill, startPair } from './remote-pair.ts'
import type { Pair } from './remote-pair.ts'

const KiB = 1024
const layout: TableLayout = { tableId: 9, columns: ['i64', 'bytes'], key: [0] }
const all: ScanRequest = { tableId: 9, columns: [0, 1], predicate: [] }

/** Rows 0, 1, 2 … of so many bytes. */
async function fillWith({ tree }: Pair, rowCount: number, byteLength: number): Promise<void> {
  const tables = createBatchBuilder(64)
  tables.defineTable(layout)
  await tree.append(tables.finish()).applied
  for (let i = 0; i < rowCount; i++) {
    const builder = createBatchBuilder(64), row = [BigInt(i), Buffer.alloc(byteLength, i)]
    builder.put(9, encodeKey(layout, row), encodeRow(layout, row))
    await tree.append(builder.finish()).applied
  }
}

interface Ender {
  readonly signal: EndSignal
  readonly end: () => void
}

function endedByUser(): Ender {
  const cancel = new AbortController()
  return { signal: cancel.signal, end: () => cancel.abort() }
}

function endedByServer(): Ender {
  const canceller = new Canceller()
  return { signal: canceller, end: () => canceller.cancel(new LsmtError('57014', 'the client went away')) }
}

describe('reads of another node that end early', () => {
  it('a cancelled scan ends there too, and what is read of it is let go of', async () => {
    const pair = await startPair('wasm', { streamWindowBytes: 64 * KiB })
    await fillWith(pair, 40, 16 * KiB)
    const snapshot = await pair.takeSnapshot(), usedBefore = pair.farKernel.heap.usedBytes
    const cancel = new AbortController()
    const cursor = pair.far.scan(snapshot, { ...all, pace: createPace(systemTurns, cancel.signal) })
    expect((await cursor.next())!.rowCount).toBeGreaterThan(0)
    cancel.abort()
    expect(await codeOf(cursor.next())).toBe('57014')
    cursor.close()
    expect(pair.farKernel.heap.usedBytes).toBe(usedBefore)
    snapshot.release()
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
  })

  it.each([['users', endedByUser], ['servers', endedByServer]])('a statement of %s that waits for an aggregate hears of its end at once', async (_, endedBy) => {
    const pair = await startPair('wasm')
    await fill(pair.tree, seededRandom(1), 60)
    const snapshot = await pair.takeSnapshot()
    // It waits there for longer than anybody does.
    const { tree } = pair
    let isEnded = false
    const stuck = { ...tree, aggregate: (_: unknown, { pace }: ScanRequest) => new Promise<never>((_resolve, reject) => {
      const timer = setInterval(() => {
        try {
          void pace!.turn()
        } catch (error) {
          isEnded = true
          clearInterval(timer)
          reject(error)
        }
      }, 1)
    }) }
    pair.host.replica = { ...pair.host.replica!, tree: stuck as unknown as typeof tree }
    const stuckSnapshot = await pair.takeSnapshot()
    const { signal, end } = endedBy()
    const waiting = pair.far.aggregate(stuckSnapshot, { tableId: 1, columns: [], predicate: [], pace: createPace(systemTurns, signal) }, [{ function: 'count' }])
    setTimeout(end, 20)
    expect(await codeOf(waiting)).toBe('57014')
    await expect.poll(() => isEnded).toBe(true)
    snapshot.release()
    stuckSnapshot.release()
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
  })

  it('pages come as they are read: never more than a window ahead', async () => {
    const pair = await startPair('wasm', { streamWindowBytes: 64 * KiB })
    await fillWith(pair, 60, 16 * KiB)
    const snapshot = await pair.takeSnapshot()
    const received = (): number => pair.asker.transport.stats().to[0]!.bytesReceived
    const cursor = pair.far.scan(snapshot, all)
    const before = received()
    await cursor.next()
    await new Promise((resolve) => void setTimeout(resolve, 100))
    // The page that is read, and what a window holds beyond it.
    expect(received() - before).toBeLessThan((256 + 16 + 64 + 16) * KiB)
    let rows = 0
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) rows += page.rowCount
    cursor.close()
    expect(rows).toBeGreaterThan(30)
    expect(received() - before).toBeGreaterThan(60 * 16 * KiB)
    expect(pair.asked.streams.get('fragment.scan')).toBe(1)
  })

  it('a connection that breaks in the middle is 08006, and its snapshots are gone on the other side', async () => {
    const pair = await startPair('wasm', { streamWindowBytes: 64 * KiB })
    await fillWith(pair, 60, 16 * KiB)
    const snapshot = await pair.takeSnapshot(), usedBefore = pair.farKernel.heap.usedBytes
    const cursor = pair.far.scan(snapshot, all)
    await cursor.next()
    for (const socket of pair.leader.sockets) socket.destroy()
    const rest = async (): Promise<void> => {
      while ((await cursor.next()) !== undefined);
    }
    expect(await codeOf(rest())).toBe('08006')
    cursor.close()
    expect(pair.farKernel.heap.usedBytes).toBe(usedBefore)
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
    expect(pair.kernel.heap.usedBytes).toBeGreaterThan(0)
    await expect.poll(() => pair.asker.transport.stats().to[0]!.isConnected).toBe(true)
    expect(await codeOf(rowsOf(pair.farKernel, pair.far.scan(snapshot, all), true))).toBe('40001')
    pair.asker.transport.setPeers(new Map())
    expect(await codeOf(pair.takeSnapshot())).toBe('08006')
    expect(await codeOf(readKey(pair.farKernel, pair.far, undefined, layout, encodeKey(layout, [1n])))).toBe('08006')
  })

  it('rows of any size come by their keys, one, or as many as one question may bring', async () => {
    const pair = await startPair('wasm')
    await fillWith(pair, 3, 700 * KiB)
    const snapshot = await pair.takeSnapshot()
    const key = encodeKey(layout, [2n])
    const [, bytes] = (await readKey(pair.farKernel, pair.far, snapshot, layout, key)) as [bigint, Uint8Array]
    expect(Buffer.alloc(700 * KiB, 2).equals(bytes)).toBe(true)
    expect([pair.asked.requests.get('fragment.row'), pair.asked.streams.get('fragment.rows')]).toEqual([1, 1])
    expect(await rowsOf(pair.farKernel, pair.far.scan(snapshot, all), true)).toHaveLength(3)
  })

  it('a table that the shard does not have, or has with other columns, is 40001', async () => {
    const pair = await startPair('wasm')
    await fillWith(pair, 2, 10)
    const before = await pair.takeSnapshot()
    const builder = createBatchBuilder(64)
    builder.defineTable({ ...layout, columns: ['i64', 'bytes', 'i64'] })
    await pair.tree.append(builder.finish()).applied
    // The asker knows of the new column, the snapshot does not.
    expect(await codeOf(rowsOf(pair.farKernel, pair.far.scan(before, { ...all, columns: [2] }), true))).toBe('40001')
    expect(await rowsOf(pair.farKernel, pair.far.scan(await pair.takeSnapshot(), { ...all, columns: [2] }), true)).toHaveLength(2)
    const drop = createBatchBuilder(64)
    drop.dropTable(9)
    await pair.tree.append(drop.finish()).applied
    expect(await codeOf(pair.far.aggregate(await pair.takeSnapshot(), { tableId: 9, columns: [], predicate: [] }, []).then(() => {}))).toBe('40001')
  })

  it('a snapshot of files that were replaced since, and a replica that is not here, are told', async () => {
    const pair = await startPair('wasm')
    await fillWith(pair, 2, 10)
    const snapshot = await pair.takeSnapshot()
    pair.host.replica = { ...pair.host.replica!, tree: { ...pair.tree } }
    expect(await codeOf(rowsOf(pair.farKernel, pair.far.scan(snapshot, all), true))).toBe('57P03')
    pair.host.replica = undefined
    expect(await codeOf(pair.takeSnapshot())).toBe('57P03')
  })

  it('a lease that ends before the snapshot is taken is asked for again', async () => {
    const pair = await startPair('wasm')
    let asked = 0
    pair.host.replica = { ...pair.host.replica!, read: () => Promise.resolve({ deadlineMs: ++asked < 3 ? 0 : Infinity }) }
    await pair.takeSnapshot()
    expect(asked).toBe(3)
  })

  it('no memory for groups here is 53200, and ends the stream', async () => {
    const pair = await startPair('wasm')
    await fillWith(pair, 20, 30_000)
    const snapshot = await pair.takeSnapshot()
    const groups = createGroups({ kernel: pair.farKernel, columns: layout.columns, groupBy: [1], aggregates: [], budget: { bytesMax: 64 * KiB, usedBytes: 0 } })
    expect(await codeOf(pair.far.groupedAggregate(snapshot, { ...all, columns: [], keys: false }, groups))).toBe('53200')
    groups.free()
    snapshot.release()
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
  })

  it('what was not used for long is let go of, but nothing that is being read', () => {
    let nowMs = 0
    const released: number[] = []
    const snapshots = new HeldSnapshots({ monotonicMs: () => nowMs })
    const context = { from: 'asker', signal: new AbortController().signal, connection: new AbortController().signal }
    const held = (id: number): HeldSnapshot => ({ shard: 0, tree: undefined as never, snapshot: { sequence: 0, release: () => void released.push(id) }, overlay: undefined })
    for (const id of [1, 2, 3]) snapshots.hold(context, id, held(id))
    expect(() => snapshots.hold(context, 3, held(4))).toThrow('two snapshots')
    const { done } = snapshots.use(context, 1)
    nowMs = idleMsMax - 1
    snapshots.use(context, 2).done()
    nowMs = idleMsMax
    snapshots.releaseIdle()
    expect([released, snapshots.count]).toEqual([[4, 3], 2])
    snapshots.release(context, [1])
    expect(released).toEqual([4, 3])
    done()
    expect(released).toEqual([4, 3, 1])
    expect(() => snapshots.use({ ...context, connection: new AbortController().signal }, 2)).toThrow('not there any more')
  })
})
