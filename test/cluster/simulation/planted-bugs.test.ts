/**
 * A simulation that finds nothing may be blind: each rule on which safety rests is broken, and random schedules must notice
 * it, by the check that is there for it.
 */
import { expect, it } from 'vitest'
import type { ClusterOptions } from './cluster.ts'
import { runSchedule } from './schedule.ts'

const schedulesMax = 3_000

interface Bug {
  readonly options: Omit<ClusterOptions, 'seed'>
  /** What the violation says. */
  readonly says: string
}

const bugs: Readonly<Record<string, Bug>> = {
  'acknowledging before the second copy': { options: { rules: { commitSequence: (own) => own } }, says: 'copies on disk' },
  'acknowledging without the leader\'s own copy': { options: { rules: { commitSequence: (_, others) => Math.min(...others) } }, says: 'copies on disk' },
  'truncating to the own high watermark at a restart': {
    options: { beforeStart: (disk) => void (disk.log = disk.log.filter(({ lastSequence }) => lastSequence <= disk.highWatermark)) },
    says: 'is a member with its log to',
  },
  'electing the spare': { options: { rules: { mayLead: () => true } }, says: 'which is committed in epoch' },
  'forgetting that both old and new members count during a change': { options: { rules: { maximalMembers: ({ members }) => members } }, says: 'is a member with its log to' },
  'serving reads after the deadline of the lease': { options: { rules: { leaseHolds: () => true } }, says: 'serves a read' },
}

it.each(Object.entries(bugs))('%s is noticed', (_, { options, says }) => {
  let found: string | undefined
  for (let seed = 1; seed <= schedulesMax && found?.includes(says) !== true; seed++) found = runSchedule({ seed, ...options }).violations[0] ?? found
  expect(found).toContain(says)
})
