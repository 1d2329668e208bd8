/**
 * A coordinator opened a shard at a leader that knew what was committed, and was told the end of its log. The member that
 * had led before still had a write of an earlier coordinator behind that end; it led again later, and the write was
 * committed after all, behind the back of the later coordinator. Found by schedules 734413271, 734413435 and 734413814 of
 * coordinators.test.ts. Now a shard is open only when all members have said that nothing else is on their disks.
 */
import { expect, test } from 'vitest'
import type { Effect, ReplicaEvent } from '../../src/cluster/replication/event.ts'
import { rules } from '../../src/cluster/replication/rules.ts'
import { emptyLog } from '../../src/cluster/replication/state/log-state.ts'
import { startReplica } from '../../src/cluster/replication/state/replica-state.ts'
import { step } from '../../src/cluster/replication/step.ts'
import { defaultTiming } from '../../src/cluster/replication/timing.ts'
import { beginShard, write } from '../cluster/replica/scenario.ts'
import { configStore } from '../cluster/simulation/config-store.ts'

test('a shard is not open while a member may have more than its leader', async () => {
  const shard = await beginShard()
  const { replica } = shard.of(shard.first)
  await shard.outcome(replica.open(1))
  await shard.outcome(replica.append(1, 1, write(1, 'a'), 'visible'))
  await shard.run(50)
  shard.cutOff(shard.first, [shard.second, configStore])
  replica.append(1, 3, write(3, 'only here'), 'visible').catch(() => undefined)
  await shard.until(() => shard.of(shard.second).replica.status().isReady)
  shard.zeroEpoch = 2
  let isOpen = false
  shard.of(shard.second).replica.open(2).then(() => (isOpen = true), () => undefined)
  await shard.run(40)
  expect(isOpen).toBe(false)
  shard.second.crash()
  shard.network.healAll()
  await shard.until(() => replica.status().isReady && replica.status().epoch === 3)
  expect(await shard.outcome(replica.open(2))).toMatchObject({ lastSequence: 4 })
})

test('a follower says nothing while what was cut off may come back', () => {
  let state = startReplica({ node: 'b', store: 'b1', incarnation: 1 }, { storedEpoch: 2, log: { ...emptyLog, lastSequence: 4, durableSequence: 4, epochs: [{ epoch: 1, startSequence: 0 }] } })
  const give = (event: ReplicaEvent): readonly Effect[] => {
    const result = step({ rules, timing: defaultTiming }, state, event, 0)
    state = result.state
    return result.effects
  }
  const from = { node: 'a', store: 'a1' }, to = { node: 'b', store: 'b1' }
  const sign = { kind: 'append', from, to, epoch: 2, commitSequence: 0, freshAt: undefined, previous: { sequence: 2, epoch: 1 }, entries: [] } as const
  give({ kind: 'message', message: { ...sign, round: 0 } })
  give({ kind: 'message', message: { kind: 'diverged', from, to, epoch: 2, asked: { sequence: 4, epoch: 1 }, end: { sequence: 2, epoch: 1 } } })
  expect(give({ kind: 'message', message: { ...sign, round: 1 } })).toEqual([])
  expect(give({ kind: 'logged', generation: 1, throughSequence: 2 })).toMatchObject([{ kind: 'send', message: { kind: 'appended', matchSequence: 2, round: 1 } }])
})
