/** What reaches a replica's disk: epochs, entries and cuts, in the order in which they were asked for. */
import { corruption, invariant } from '../../errors.ts'
import { readBatchHeader } from '../batch.ts'
import { abortsIn } from '../log/logged-parts.ts'
import { lastSequenceOf } from '../log/segment-scan.ts'
import { poison } from '../state/tree-state.ts'
import { writeReplicaRecord } from './replica-record.ts'
import type { ReplicaRecord } from './replica-record.ts'
import { epochAt, withEpoch } from './replica-state.ts'
import type { ReplicaState } from './replica-state.ts'
import type { ReplicatedEntry } from './replicated-tree.ts'

export function storeEpoch(replica: ReplicaState, epoch: number): Promise<void> {
  return changeRecord(replica, (record) => (epoch > record.storedEpoch ? { ...record, storedEpoch: epoch } : record))
}

/** One after the other; what comes to the log meanwhile waits, so that it never knows of epochs that the record does not. */
function changeRecord(replica: ReplicaState, change: (record: ReplicaRecord) => ReplicaRecord): Promise<void> {
  const changed = (replica.recording ?? Promise.resolve()).then(async () => {
    const record = change(replica.record)
    if (record !== replica.record) replica.record = await writeReplicaRecord(replica.options, record)
  })
  const recording = orPoison(replica, changed)
  replica.recording = recording
  const ended = (): void => void (replica.recording === recording && (replica.recording = undefined))
  recording.then(ended, ended)
  return recording
}

/** Everything but the disk knows of them when this returns. */
export function append(replica: ReplicaState, entries: readonly ReplicatedEntry[]): Promise<void> {
  const { window, parts, tree } = replica
  checkEntries(replica, entries)
  for (const entry of entries) {
    replica.epochs = withEpoch(replica.epochs, entry.epoch, window.lastSequence)
    window.push(entry)
    parts.note(entry)
  }
  tree.nextSequence = window.lastSequence + 1
  return afterRecord(replica, async () => {
    await Promise.all(entries.map((entry) => writeEntry(replica, entry)))
  })
}

/** Before anything is taken of them: the bytes may be another node's. */
function checkEntries({ window, epochs, options: { shard } }: ReplicaState, entries: readonly ReplicatedEntry[]): void {
  let before = { epoch: epochs.at(-1)!.epoch, lastSequence: window.lastSequence }
  for (const entry of entries) {
    const { epoch, baseSequence, lastSequence, batch } = entry
    const file = `the entry of sequence ${baseSequence} of shard ${shard}`
    const header = readBatchHeader(batch, file)
    const found = lastSequenceOf(header.baseSequence, header.operationCount)
    if (header.baseSequence !== baseSequence || found !== lastSequence) throw corruption('write batch', { file, block: 'header', expected: `sequences ${baseSequence} to ${lastSequence}`, actual: `${header.baseSequence} to ${found}` })
    if (header.isControl) abortsIn(batch, file)
    const { epoch: epochBefore, lastSequence: sequenceBefore } = before
    invariant(baseSequence === sequenceBefore + 1 && epoch >= epochBefore, () => `an entry of sequence ${baseSequence}, epoch ${epoch} after sequence ${sequenceBefore}, epoch ${epochBefore}`)
    before = entry
  }
}

function writeEntry(replica: ReplicaState, { epoch, baseSequence, batch }: ReplicatedEntry): Promise<void> {
  if (epoch !== replica.writtenEpoch) replica.log.beginEpoch(epoch)
  replica.writtenEpoch = epoch
  return replica.log.append(baseSequence, batch)
}

export function truncate(replica: ReplicaState, toSequence: number): Promise<void> {
  const { window, parts, log, tree } = replica
  invariant(toSequence >= replica.committed && toSequence <= window.lastSequence, () => `a cut to ${toSequence} of a log that is committed up to ${replica.committed} and ends at ${window.lastSequence}`)
  if (toSequence === window.lastSequence) return afterRecord(replica, () => log.sync())
  window.cut(toSequence)
  parts.cut(toSequence)
  replica.epochs = replica.epochs.filter(({ startSequence }, i) => i === 0 || startSequence < toSequence)
  tree.nextSequence = toSequence + 1
  const epoch = epochAt(replica.epochs, toSequence)
  return afterRecord(replica, () => {
    replica.writtenEpoch = epoch
    return log.cut(toSequence, epoch)
  })
}

function afterRecord(replica: ReplicaState, write: () => Promise<void>): Promise<void> {
  return orPoison(replica, replica.recording === undefined ? write() : replica.recording.then(write))
}

/** Nothing may build on what may not be there. What is refused because the tree is closed is no failure. */
async function orPoison({ tree }: ReplicaState, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!tree.isClosed) poison(tree, error)
    throw error
  }
}
