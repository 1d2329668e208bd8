/** A tree asked over connections gives what it gives when it is asked directly. `LSMT_SEED=n` replays a history. */
import { describe, expect, it } from 'vitest'
import { createFetchBatch } from '../../../src/lsm/read/point/fetch-together.ts'
import type { PointFetch, ScanRequest, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { scanKinds } from '../../../src/lsm/vector/scan-columns.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { encodeKey, layouts, randomRow } from '../../lsm/tree/tree-rows.ts'
import { outcomeOf, plain, readKey, rowsOf } from './outcome.ts'
import { fill, keySpread, startPair } from './remote-pair.ts'
import { randomAggregates, randomScan } from './random-requests.ts'

const seeds = process.env['LSMT_SEED'] === undefined ? Array.from({ length: fullTests ? 40 : 2 }, (_, i) => 100 + i) : [Number(process.env['LSMT_SEED'])]

describe.each(kinds)('a tree on another node (%s)', (kind) => {
  it.each(seeds)('gives the same rows, partials and errors, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const pair = await startPair(kind)
    const { tree, kernel, far, farKernel } = pair
    await fill(tree, random)
    const near = tree.snapshot(), remote = await pair.takeSnapshot()
    expect(remote.sequence).toBe(near.sequence)
    const usedBefore = farKernel.heap.usedBytes
    for (let i = 0; i < 40; i++) {
      const layout = layouts[random.below(layouts.length)]!
      const scan: ScanRequest = randomScan(random, layout)
      const request: ScanRequest = random.below(4) === 0 ? { ...scan, keys: false } : scan
      const hasKeys = request.keys !== false
      const what = `${i} of seed ${seed}: ${plain(request)}`
      expect(await outcomeOf(() => rowsOf(farKernel, far.scan(remote, request), hasKeys)), what).toBe(await outcomeOf(() => rowsOf(kernel, tree.scan(near, request), hasKeys)))
      const aggregates = randomAggregates(random, scanKinds(layout.columns, request.computed))
      expect(await outcomeOf(() => far.aggregate(remote, request, aggregates)), what).toBe(await outcomeOf(() => tree.aggregate(near, request, aggregates)))
      const key = encodeKey(layout, randomRow(random, layout, keySpread))
      expect(await outcomeOf(() => readKey(farKernel, far, remote, layout, key))).toBe(await outcomeOf(() => readKey(kernel, tree, near, layout, key)))
      expect(await outcomeOf(() => readKey(farKernel, far, undefined, layout, key))).toBe(await outcomeOf(() => readKey(kernel, tree, undefined, layout, key)))
    }
    // What the memory for texts took stays.
    expect(farKernel.heap.usedBytes - usedBefore).toBeLessThanOrEqual(1024)
    near.release()
    remote.release()
    await expect.poll(() => pair.service.snapshotCount).toBe(0)
  })

  it('asks for many keys of a shard at once', async () => {
    const random = seededRandom(7)
    const pair = await startPair(kind)
    const { tree, far, farKernel, asked } = pair
    await fill(tree, random)
    await tree.flush()
    const layout = layouts[0]!
    const remote = await pair.takeSnapshot()
    asked.requests.clear()
    const keys = Array.from({ length: 500 }, () => Buffer.from(encodeKey(layout, randomRow(random, layout, keySpread))))
    const address = farKernel.heap.allocate(64)
    const get = (snapshot: Snapshot | undefined, key: Uint8Array): ReturnType<Tree['get']> => {
      farKernel.memory.u8.set(key, address)
      return far.get(snapshot, layout.tableId, address, key.length)
    }
    for (const snapshot of [remote, undefined]) {
      asked.streams.clear()
      const batch = createFetchBatch()
      const fetches = keys.map((key) => get(snapshot, key) as PointFetch)
      for (const fetch of fetches) batch.add(fetch)
      await batch.run(undefined)
      const answers = fetches.map(({ elsewhere }) => elsewhere!.answer())
      expect(answers.every((answer) => answer !== undefined)).toBe(true)
      expect(answers.filter((answer) => answer!.row !== undefined).length).toBeGreaterThan(50)
      expect([asked.requests.size, Object.fromEntries(asked.streams)]).toEqual([0, { 'fragment.rows': 1 }])
      // Who begins to read later may have to see more.
      expect((get(snapshot, keys[0]!) as PointFetch).elsewhere!.answer()).toBe(undefined)
    }
    farKernel.heap.free(address)
  })
})
