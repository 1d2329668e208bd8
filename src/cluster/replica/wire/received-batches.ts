/** Batches as they come from other nodes: what the log relies on is checked before they get there, and they get bytes of their own. */
import { LsmtError } from '../../../errors.ts'
import { readBatchHeader } from '../../../lsm/batch.ts'
import type { BatchHeader } from '../../../lsm/batch.ts'
import type { PeerMessage } from '../../replication/message.ts'
import type { LogEntry } from '../../replication/state/log-state.ts'

/** The message with batches that may be kept. 08P01 for one whose header says something else than the message. */
export function withOwnBatches(message: PeerMessage): PeerMessage {
  return message.kind === 'append' && message.entries.length > 0 ? { ...message, entries: message.entries.map(ownEntry) } : message
}

function ownEntry(entry: LogEntry): LogEntry {
  const { baseSequence, operationCount } = headerOf(entry.batch)
  if (baseSequence !== entry.baseSequence) throw wrong(`base sequence ${entry.baseSequence}`, baseSequence)
  const expected = entry.lastSequence - entry.baseSequence + 1
  // One without operations takes a sequence all the same.
  if (Math.max(1, operationCount) !== expected) throw wrong(`${expected} operations`, operationCount)
  return { ...entry, batch: new Uint8Array(entry.batch) }
}

function headerOf(batch: Uint8Array): BatchHeader {
  try {
    return readBatchHeader(batch, 'a batch of another node')
  } catch (error) {
    throw new LsmtError('08P01', error instanceof Error ? error.message : String(error), {}, error)
  }
}

const wrong = (expected: string, actual: number): LsmtError => new LsmtError('08P01', `a batch of another node: expected ${expected}, found ${actual}`)
