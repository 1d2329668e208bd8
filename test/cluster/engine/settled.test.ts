/** Copies keep their log from the first part on that is not known to be settled: so they are told, though no more parts come. */
import { expect, it } from 'vitest'
import { createSettledParts } from '../../../src/cluster/engine/appends/settled-parts.ts'
import type { ShardLeader } from '../../../src/cluster/engine/appends/shard-leader.ts'
import { createShardWriter } from '../../../src/cluster/engine/appends/shard-writer.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { assignParticipants } from '../../../src/lsm/batch.ts'
import { until } from '../../until.ts'

function batch(partCount: number): Uint8Array {
  const builder = createBatchBuilder()
  builder.dropTable(99)
  return builder.finish(partCount)
}

it('what is settled is told behind the last statement over several shards, once', async () => {
  let nowMs = 0
  const settled = createSettledParts(2, () => nowMs)
  const told: number[][] = [[], []]
  const leaders = told.map((toldHere): ShardLeader => ({
    node: 'a', epoch: 1,
    open: async () => ({ lastSequence: 10, flushedSequence: 0, parts: [], aborted: new Set(), epoch: 1 }),
    append: async () => ({ copies: 2 }),
    release: async (_coordinator, _through, settledThrough) => void toldHere.push(settledThrough),
  }))
  const writers = [0, 1].map((shard) => createShardWriter({ shard, coordinator: 1, leader: () => leaders[shard], changed: () => new Promise((resolve) => setTimeout(resolve, 5)), onLost: (cause) => { throw cause }, settled }))
  await Promise.all(writers.map((writer) => writer.open()))
  await Promise.all(writers.map((writer) => writer.releaseAll()))
  const statement = { transactionId: new Uint8Array(16), parts: [0, 1].map((shard) => ({ shard, baseSequence: 11 })) }
  const applied = writers.map((writer) => {
    const part = batch(2)
    assignParticipants(part, statement)
    return writer.append(part, { durableEverywhere: Promise.resolve() }).applied
  })
  await Promise.all(applied)
  expect(told.flat().every((through) => through === 0)).toBe(true)
  nowMs += 1_000
  const before = told[0]!.length
  for (let i = 0; i < 3; i++) await writers[0]!.append(batch(0)).applied
  await until(() => told[0]!.length > before)
  expect(told[0]!.slice(before)).toEqual([11])
  writers.forEach((writer) => writer.end(new LsmtError('57P03', 'over')))
})
