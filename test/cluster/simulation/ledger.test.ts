/** The check of leader completeness must neither accuse a leader that may lack an entry, nor excuse one that may not. */
import { expect, test } from 'vitest'
import { appended, emptyLog, truncated } from '../../../src/cluster/replication/state/log-state.ts'
import type { LogEntry, LogState } from '../../../src/cluster/replication/state/log-state.ts'
import { createLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'

const entryOf = (sequence: number, epoch: number): LogEntry => ({ epoch, baseSequence: sequence, lastSequence: sequence, batch: new Uint8Array([sequence]) })
const first = entryOf(1, 1), second = entryOf(2, 1)
const both: LogState = appended(emptyLog, [first, second]), onlyFirst = truncated(both, 1)

function violationsOf(story: (ledger: Ledger) => void): readonly string[] {
  const violations: string[] = []
  const ledger = createLedger((violation) => violations.push(violation))
  ledger.commit('a', 1, first)
  story(ledger)
  return violations
}

// Schedule 9029013: the leader of epoch 1 died with its last entry on the other member only. Started again it won epoch 2,
// and before it heard of that, the other member won epoch 3 and committed the entry with the spare.
test('a leader that begins late may lack what a later epoch committed, though it is of an earlier one', () => {
  expect(violationsOf((ledger) => {
    ledger.lead({ name: 'b', epoch: 3, log: both })
    ledger.commit('b', 3, second)
    ledger.lead({ name: 'a', epoch: 2, log: onlyFirst })
  })).toEqual([])
})

const lost = ['a leads epoch 2 without sequence 2, which is committed in epoch 1']

test('a leader without what an earlier epoch committed is found', () => {
  expect(violationsOf((ledger) => {
    ledger.commit('b', 1, second)
    ledger.lead({ name: 'a', epoch: 2, log: onlyFirst })
  })).toEqual(lost)
})

test('a leader that began before an earlier epoch committed what it lacks is found', () => {
  expect(violationsOf((ledger) => {
    ledger.lead({ name: 'a', epoch: 2, log: onlyFirst })
    ledger.commit('b', 1, second)
  })).toEqual(lost)
})

test('what a later epoch was seen to commit first counts from the earlier one that commits it too', () => {
  expect(violationsOf((ledger) => {
    ledger.lead({ name: 'b', epoch: 3, log: both })
    ledger.commit('b', 3, second)
    ledger.lead({ name: 'a', epoch: 2, log: onlyFirst })
    ledger.commit('c', 1, second)
  })).toEqual(lost)
})

test('another entry at the same sequence is not what was committed', () => {
  expect(violationsOf((ledger) => {
    ledger.commit('b', 1, second)
    ledger.lead({ name: 'a', epoch: 3, log: appended(onlyFirst, [entryOf(2, 2)]) })
    ledger.commit('a', 3, entryOf(2, 2))
  })).toEqual([
    'a leads epoch 3 without sequence 2, which is committed in epoch 1',
    'a commits another entry at sequence 2 (epoch 2) than was committed (epoch 1)',
  ])
})
