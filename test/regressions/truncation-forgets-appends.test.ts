/**
 * A follower was told to truncate while appends were on their way to its disk. It no longer counted their completions,
 * though part of what they wrote stayed, so it never said that it had that on disk, and nothing was committed any more.
 */
import { expect, test } from 'vitest'
import type { Effect, ReplicaEvent } from '../../src/cluster/replication/event.ts'
import { rules } from '../../src/cluster/replication/rules.ts'
import { emptyLog } from '../../src/cluster/replication/state/log-state.ts'
import { startReplica } from '../../src/cluster/replication/state/replica-state.ts'
import { step } from '../../src/cluster/replication/step.ts'
import { defaultTiming } from '../../src/cluster/replication/timing.ts'

test('what stays of an append after a truncation becomes durable', () => {
  let state = startReplica({ node: 'b', store: 'b1', incarnation: 1 }, { storedEpoch: 1, log: emptyLog })
  const give = (event: ReplicaEvent): readonly Effect[] => {
    const result = step({ rules, timing: defaultTiming }, state, event, 0)
    state = result.state
    return result.effects
  }
  const from = { node: 'a', store: 'a1' }, to = { node: 'b', store: 'b1' }
  const entry = (baseSequence: number): { readonly epoch: 1; readonly baseSequence: number; readonly lastSequence: number; readonly batch: Uint8Array } => ({ epoch: 1, baseSequence, lastSequence: baseSequence + 1, batch: new Uint8Array() })
  const append = { kind: 'append', from, to, commitSequence: 0, round: 0, freshAt: undefined } as const
  give({ kind: 'message', message: { ...append, epoch: 1, previous: { sequence: 0, epoch: 0 }, entries: [entry(1), entry(3)] } })
  // The next leader has only the first of both.
  give({ kind: 'message', message: { ...append, epoch: 2, previous: { sequence: 2, epoch: 1 }, entries: [] } })
  give({ kind: 'epochStored', epoch: 2 })
  const cut = give({ kind: 'message', message: { kind: 'diverged', from, to, epoch: 2, asked: { sequence: 4, epoch: 1 }, end: { sequence: 2, epoch: 1 } } }).find(({ kind }) => kind === 'truncateLog')
  expect(cut).toEqual({ kind: 'truncateLog', generation: 1, toSequence: 2 })
  give({ kind: 'message', message: { ...append, epoch: 2, previous: { sequence: 2, epoch: 1 }, entries: [] } })
  expect(give({ kind: 'logged', generation: 0, throughSequence: 4 })).toEqual([])
  const [answer] = give({ kind: 'logged', generation: 1, throughSequence: 2 })
  expect(answer).toMatchObject({ kind: 'send', message: { kind: 'appended', matchSequence: 2, epoch: 2 } })
})
