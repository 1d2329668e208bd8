/** What a transaction writes above a snapshot on another node, and what becomes of it when something goes wrong. */
import { describe, expect, it } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { encodeKey, layouts, randomRow } from '../../lsm/tree/tree-rows.ts'
import { codeOf, reconnected } from '../transport/test-node.ts'
import { outcomeOf, readKey, rowsOf } from './outcome.ts'
import { change, fill, keySpread, startPair } from './remote-pair.ts'
import type { Pair } from './remote-pair.ts'

const seeds = process.env['LSMT_SEED'] === undefined ? Array.from({ length: fullTests ? 20 : 1 }, (_, i) => 300 + i) : [Number(process.env['LSMT_SEED'])]

function randomBatch(random: Random): Uint8Array {
  const builder = createBatchBuilder(64)
  for (let i = 1 + random.below(20); i > 0; i--) change(builder, random, layouts[random.below(layouts.length)]!)
  if (random.below(4) === 0) {
    const layout = layouts[random.below(layouts.length)]!
    const [start, end] = [encodeKey(layout, randomRow(random, layout, keySpread)), encodeKey(layout, randomRow(random, layout, keySpread))].sort(Buffer.compare)
    builder.rangeDelete(layout.tableId, start, end)
  }
  return builder.finish()
}

const countOf = ({ far }: Pair, snapshot: Snapshot): Promise<unknown> => far.aggregate(snapshot, { tableId: 1, columns: [], predicate: [], keys: false }, [{ function: 'count' }])

describe.each(kinds)('a transaction above a tree on another node (%s)', (kind) => {
  it.each(seeds)('sees what it wrote, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 300)
    const below = pair.tree.snapshot(), farBelow = await pair.takeSnapshot()
    const usedBefore = pair.farKernel.heap.usedBytes
    const near = pair.tree.overlay(below), far = pair.far.overlay(farBelow)
    below.release()
    const read = async (kernel: Kernel, tree: Pick<Tree, 'get' | 'scan'>, snapshot: Snapshot, key: Uint8Array, layout = layouts[0]!): Promise<string> =>
      `${await outcomeOf(() => readKey(kernel, tree, snapshot, layout, key))} ${await outcomeOf(() => rowsOf(kernel, tree.scan(snapshot, { tableId: layout.tableId, columns: layout.columns.map((_, ordinal) => ordinal), predicate: [] }), true))}`
    for (let i = 0; i < 25; i++) {
      for (let batches = random.below(4); batches > 0; batches--) {
        const batch = randomBatch(random)
        far.apply(batch)
        // Its owner goes on with it at once.
        near.apply(batch)
      }
      const layout = layouts[random.below(layouts.length)]!, key = encodeKey(layout, randomRow(random, layout, keySpread))
      expect(await read(pair.farKernel, pair.far, far.snapshot, key, layout), `step ${i}`).toBe(await read(pair.kernel, pair.tree, near.snapshot, key, layout))
    }
    near.snapshot.release()
    far.snapshot.release()
    farBelow.release()
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
    expect(pair.farKernel.heap.usedBytes - usedBefore).toBeLessThanOrEqual(1024)
  })

  it('sends what it writes at once, and does not wait for an answer before it reads', async () => {
    const random = seededRandom(1)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 60)
    const snapshot = await pair.takeSnapshot()
    pair.asked.requests.clear()
    const overlay = pair.far.overlay(snapshot)
    for (let i = 0; i < 5; i++) overlay.apply(randomBatch(random))
    expect(Object.fromEntries(pair.asked.requests)).toEqual({ 'fragment.overlay': 5 })
    await countOf(pair, overlay.snapshot)
    expect([Object.fromEntries(pair.asked.requests), Object.fromEntries(pair.asked.streams)]).toEqual([{ 'fragment.overlay': 5 }, { 'fragment.aggregate': 1 }])
  })

  it('is broken by a batch that fails, at the next read and from then on', async () => {
    const random = seededRandom(2)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 60)
    const overlay = pair.far.overlay(await pair.takeSnapshot())
    overlay.apply(randomBatch(random))
    await countOf(pair, overlay.snapshot)
    const unknown = createBatchBuilder(64)
    unknown.put(12_345, Buffer.alloc(8), Buffer.from([0, 0, 0, 0]))
    overlay.apply(unknown.finish())
    overlay.apply(randomBatch(random))
    expect(await codeOf(countOf(pair, overlay.snapshot))).toBe('40001')
    expect(await codeOf(countOf(pair, overlay.snapshot))).toBe('40001')
    overlay.snapshot.release()
  })

  it('is broken when the connection is lost, and the other node lets go of it', async () => {
    const random = seededRandom(3)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 60)
    const below = await pair.takeSnapshot(), overlay = pair.far.overlay(below)
    overlay.apply(randomBatch(random))
    await countOf(pair, overlay.snapshot)
    expect(pair.service.snapshotCount).toBe(2)
    await reconnected(pair.asker, pair.leader)
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
    expect(await codeOf(countOf(pair, overlay.snapshot))).toBe('40001')
    overlay.apply(randomBatch(random))
    expect(await codeOf(countOf(pair, overlay.snapshot))).toBe('40001')
    expect(await codeOf(countOf(pair, below))).toBe('40001')
    expect(await codeOf(countOf(pair, await pair.takeSnapshot()))).toBe('none')
  })
})
