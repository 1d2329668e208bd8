/**
 * Everything that was committed, and every leadership that began. Leader completeness, as Raft states it: what the leader
 * of an epoch commits is in the log with which any leader of a later epoch begins. The epoch that counts is the one in which
 * it was committed: the entry may be of an earlier one, whose leader died before the second copy, and then leaders of epochs
 * in between need not have it. And it counts whichever was seen first: a leader that is overtaken hears of its last copies
 * late, and one that stood still after its election begins late.
 */
import { epochAt } from '../../../src/cluster/replication/state/epochs.ts'
import type { LogEntry, LogState } from '../../../src/cluster/replication/state/log-state.ts'

export interface Leading {
  readonly name: string
  readonly epoch: number
  /** As it was when the leadership began. */
  readonly log: LogState
}

export interface Ledger {
  readonly last: LogEntry | undefined
  entryAt(lastSequence: number): LogEntry | undefined
  /** Replica `name` commits it in `epoch`. */
  commit(name: string, epoch: number, entry: LogEntry): void
  lead(leading: Leading): void
}

interface Committed {
  readonly entry: LogEntry
  /** The earliest in which it was committed. */
  readonly inEpoch: number
}

export function createLedger(report: (violation: string) => void): Ledger {
  const committed = new Map<number, Committed>(), leadings: Leading[] = []
  let last: LogEntry | undefined

  function commit(name: string, epoch: number, entry: LogEntry): void {
    const known = committed.get(entry.lastSequence)
    if (known === undefined) {
      const end = last?.lastSequence ?? 0
      if (entry.baseSequence !== end + 1) return report(`${name} commits an entry from ${entry.baseSequence}, where ${end} is committed`)
      last = entry
    } else {
      if (known.entry.epoch !== entry.epoch || !isEqual(known.entry.batch, entry.batch)) return report(`${name} commits another entry at sequence ${entry.lastSequence} (epoch ${entry.epoch}) than was committed (epoch ${known.entry.epoch})`)
      if (known.inEpoch <= epoch) return
    }
    const now: Committed = { entry, inEpoch: epoch }
    committed.set(entry.lastSequence, now)
    for (const leading of leadings) check(leading, now)
  }

  function check({ name, epoch, log }: Leading, { entry, inEpoch }: Committed): void {
    if (epoch > inEpoch && !isInLog(log, entry)) report(`${name} leads epoch ${epoch} without sequence ${entry.lastSequence}, which is committed in epoch ${inEpoch}`)
  }

  return {
    get last() { return last },
    entryAt: (lastSequence) => committed.get(lastSequence)?.entry,
    commit,
    lead(leading) {
      leadings.push(leading)
      for (const one of committed.values()) check(leading, one)
    },
  }
}

/** What is before the start of a log is in files, which hold only what is committed. */
function isInLog({ startSequence, lastSequence, epochs }: LogState, entry: LogEntry): boolean {
  return entry.lastSequence <= startSequence || (entry.lastSequence <= lastSequence && epochAt(epochs, entry.lastSequence) === entry.epoch)
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0
