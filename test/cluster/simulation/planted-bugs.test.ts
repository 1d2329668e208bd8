/** A simulation that finds nothing may be blind: each rule on which safety rests is broken, and random schedules must notice. */
import { expect, it } from 'vitest'
import type { ClusterOptions } from './cluster.ts'
import { runSchedule } from './schedule.ts'

const schedulesMax = 3_000

const bugs: Readonly<Record<string, Omit<ClusterOptions, 'seed'>>> = {
  'acknowledging before the second copy': { rules: { commitSequence: (own) => own } },
  'acknowledging without the leader\'s own copy': { rules: { commitSequence: (_, others) => Math.min(...others) } },
  'truncating to the own high watermark at a restart': { beforeStart: (disk) => void (disk.log = disk.log.filter(({ lastSequence }) => lastSequence <= disk.highWatermark)) },
  'electing the spare': { rules: { mayLead: () => true } },
  'forgetting that both old and new members count during a change': { rules: { maximalMembers: ({ members }) => members } },
  'serving reads after the deadline of the lease': { rules: { leaseHolds: () => true } },
}

it.each(Object.entries(bugs))('%s is noticed', (_, options) => {
  let found: string | undefined
  for (let seed = 1; seed <= schedulesMax && found === undefined; seed++) found = runSchedule({ seed, ...options }).violations[0]
  expect(found).toBeDefined()
  expect(found).not.toContain('throws')
})
