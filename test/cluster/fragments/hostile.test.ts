/** Bytes that are no question, and no answer: they end in an error that says so, on either side, and leave nothing behind. `LSMT_SEED=n` replays. */
import { describe, expect, it } from 'vitest'
import { createFragmentClient } from '../../../src/cluster/fragments/client/fragment-client.ts'
import type { Channel } from '../../../src/cluster/fragments/client/peer.ts'
import type { RemoteTree } from '../../../src/cluster/fragments/client/remote-tree.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { createGroups } from '../../../src/lsm/groups/groups.ts'
import { createTopRows } from '../../../src/lsm/top/top-rows.ts'
import { scanKinds } from '../../../src/lsm/vector/scan-columns.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { until } from '../../until.ts'
import { encodeKey, layouts, randomRow } from '../../lsm/tree/tree-rows.ts'
import { reconnected } from '../transport/test-node.ts'
import { readKey, rowsOf } from './outcome.ts'
import { change, fill, keySpread, startPair } from './remote-pair.ts'
import type { Pair } from './remote-pair.ts'
import { randomAggregates, randomGroupedAggregates, randomScan } from './random-requests.ts'

const seed = Number(process.env['LSMT_SEED'] ?? 400)
const rounds = fullTests ? 2000 : 150
const budget = { bytesMax: 8 * 1024 * 1024, usedBytes: 0 }

/** Asks something at random of the other node. */
async function askAnything({ farKernel: kernel }: Pair, far: RemoteTree, random: Random): Promise<void> {
  const snapshot = await far.takeSnapshot({ level: { kind: 'lease' } })
  const layout = layouts[random.below(layouts.length)]!, request = randomScan(random, layout), columns = scanKinds(layout.columns, request.computed)
  const overlay = random.below(3) === 0 ? far.overlay(snapshot) : undefined
  try {
    if (overlay !== undefined) {
      const builder = createBatchBuilder(64)
      for (let i = 0; i < 3; i++) change(builder, random, layout)
      overlay.apply(builder.finish())
    }
    const view = overlay?.snapshot ?? snapshot
    switch (random.below(5)) {
      case 0:
        return void (await rowsOf(kernel, far.scan(view, request), request.keys !== false))
      case 1:
        return void (await far.aggregate(view, request, randomAggregates(random, columns)))
      case 2: {
        const groups = createGroups({ kernel, columns, groupBy: [random.below(columns.length)], aggregates: randomGroupedAggregates(random, columns), budget })
        return await far.groupedAggregate(view, request, groups).finally(groups.free)
      }
      case 3: {
        const top = createTopRows([{ ordinal: random.below(layout.columns.length), descending: false, nullsFirst: false }], request.columns.filter((ordinal) => ordinal < layout.columns.length), 20)
        await far.topRows(view, request, top)
        return void (await top.rows())
      }
      default:
        return void (await readKey(kernel, far, view, layout, encodeKey(layout, randomRow(random, layout, keySpread))))
    }
  } finally {
    overlay?.snapshot.release()
    snapshot.release()
  }
}

/** Some bytes changed, cut off or added. */
function broken(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  if (copy.length === 0 || random.below(8) === 0) return Buffer.concat([copy, Buffer.from([random.below(256)])])
  if (random.below(6) === 0) return copy.subarray(0, random.below(copy.length))
  for (let i = 1 + random.below(3); i > 0; i--) copy[random.below(copy.length)] = random.below(3) === 0 ? [0, 1, 0x7f, 0xff][random.below(4)]! : random.below(256)
  return copy
}

/** No bug here, and no damage: what is wrong is the other node's fault, or a value's. */
function expectToldError(error: unknown, what: string): void {
  const { code, message } = error as { code?: string; message: string }
  expect(code, `${what}: ${message}`).toBeTypeOf('string')
  expect(code!.startsWith('XX'), `${what}: ${code} ${message}`).toBe(false)
}

const clientOver = (pair: Pair, channel: Channel): RemoteTree => createFragmentClient({ kernel: pair.farKernel, groupBudget: budget, channel, timeoutMs: 30_000 }).tree({ shard: 3, where: () => 'leader', layouts: pair.tree.layouts })

describe.each(kinds)('broken bytes between nodes (%s)', (kind) => {
  it(`questions, seed ${seed}`, async () => {
    const random = seededRandom(seed)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 200)
    const breaking: { method: string | undefined } = { method: undefined }
    const maybe = (method: string, body: readonly Uint8Array[]): readonly Uint8Array[] => (method === breaking.method ? [broken(random, Buffer.concat(body))] : body)
    const far = clientOver(pair, {
      request: (node, method, body, options) => pair.asker.transport.request(node, method, maybe(method, body), options),
      stream: (node, method, body, options) => pair.asker.transport.stream(node, method, maybe(method, body), options),
    })
    const methods = ['snapshot', 'overlay', 'row', 'rows', 'scan', 'aggregate', 'group', 'top', 'release'].map((name) => `fragment.${name}`)
    const errors = new Map<string, number>()
    for (let i = 0; i < rounds; i++) {
      breaking.method = methods[random.below(methods.length)]!
      await askAnything(pair, far, random).catch((error: unknown) => {
        expectToldError(error, `${i} of seed ${seed}, ${breaking.method}`)
        errors.set((error as { code: string }).code, (errors.get((error as { code: string }).code) ?? 0) + 1)
      })
    }
    expect(errors.get('08P01')).toBeGreaterThan(rounds / 20)
    expect(pair.leader.lines.filter((line) => line.includes('failed'))).toEqual([])
    // Broken ids are those of other snapshots, until the connection ends.
    await reconnected(pair.asker, pair.leader)
    await until(() => pair.service.snapshotCount === 0)
    const snapshot = await pair.takeSnapshot()
    expect(await pair.far.aggregate(snapshot, { tableId: 1, columns: [], predicate: [] }, [{ function: 'count' }])).toEqual(await pair.tree.aggregate(pair.tree.snapshot(), { tableId: 1, columns: [], predicate: [] }, [{ function: 'count' }]))
  })

  it(`answers, seed ${seed}`, async () => {
    const random = seededRandom(seed)
    const pair = await startPair(kind)
    await fill(pair.tree, random, 200)
    const { transport } = pair.asker
    const far = clientOver(pair, {
      async request(node, method, body, options) {
        const answer = await transport.request(node, method, body, options)
        return method === 'fragment.row' && random.below(2) === 0 ? broken(random, answer) : answer
      },
      async *stream(node, method, body, options) {
        const pieces: Uint8Array[] = []
        for await (const piece of transport.stream(node, method, body, options)) pieces.push(Uint8Array.from(piece))
        const whole = Buffer.concat(pieces), sent = random.below(3) > 0 ? broken(random, whole) : whole
        for (let at = 0; at < sent.length; at += 50) yield sent.subarray(at, at + 50)
      },
    })
    const usedBefore = pair.farKernel.heap.usedBytes
    let failed = 0
    for (let i = 0; i < rounds; i++) {
      await askAnything(pair, far, random).catch((error: unknown) => {
        failed++
        expectToldError(error, `${i} of seed ${seed}`)
      })
    }
    expect(failed).toBeGreaterThan(rounds / 10)
    expect(budget.usedBytes).toBe(0)
    // What the memory for texts took stays.
    expect(pair.farKernel.heap.usedBytes - usedBefore).toBeLessThanOrEqual(1024)
  })
})
