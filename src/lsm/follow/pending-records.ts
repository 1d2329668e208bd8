/**
 * Which records of a stream may become visible together. They come in the order of the log; a statement over several
 * shards is seen whole or not at all, so its parts count only when all of them are there (as at a recovery), and are left
 * out when an abort of it is. One that is neither yet holds back all that comes after it.
 */
import { operation, readBatchHeader, readOperations } from '../batch.ts'
import type { Participant } from '../batch.ts'
import type { StreamRecord } from '../log/stream/object-format.ts'
import type { ChainObject } from '../log/stream/stream-chain.ts'

export interface PendingRecord extends StreamRecord {
  /** For messages. */
  readonly file: string
  readonly isControl: boolean
  readonly hasTables: boolean
  /** Of a statement over several shards. */
  readonly part: { readonly transactionId: string; readonly participants: readonly Participant[] } | undefined
  /** Ids of the transactions that it aborts. */
  readonly aborts: readonly string[]
}

/** The records of log objects, in order. */
export function pendingRecords(objects: readonly ChainObject[]): readonly PendingRecord[] {
  return objects.flatMap(({ name, records }) => records.map((record) => {
    const { shard, baseSequence, lastSequence, payload } = record
    const { participants, isControl, hasTables } = readBatchHeader(payload, name)
    const part = participants && { transactionId: hexOf(participants.transactionId), participants: participants.parts }
    const aborts = isControl ? [...readOperations(payload, name)].filter(({ kind }) => kind === operation.abort).map(({ key }) => hexOf(key)) : []
    return { shard, baseSequence, lastSequence, payload, file: name, isControl, hasTables, part, aborts }
  }))
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export interface Decision {
  /** So many records, from the first on, are decided. */
  readonly count: number
  /** Ids of the transactions among them whose parts are passed over. */
  readonly aborted: ReadonlySet<string>
}

/** `passed`: by shard, the sequence up to which all is visible or in table files. */
export function decide(records: readonly PendingRecord[], passed: readonly number[]): Decision {
  const aborted = new Set(records.flatMap(({ aborts }) => aborts))
  const present = new Set(records.filter(({ part }) => part !== undefined).map(({ shard, part }) => `${part!.transactionId} ${shard}`))
  const isDecided = ({ part }: PendingRecord): boolean =>
    part === undefined || aborted.has(part.transactionId) || part.participants.every(({ shard, baseSequence }) => present.has(`${part.transactionId} ${shard}`) || (passed[shard] ?? -1) >= baseSequence)
  const undecided = records.findIndex((record) => !isDecided(record))
  return { count: undecided < 0 ? records.length : undecided, aborted }
}

/** The first records, of about so many bytes, that end where no statement is begun and not ended. */
export function wholePrefix(records: readonly PendingRecord[], bytes: number): readonly PendingRecord[] {
  const open = new Map<string, number>()
  let taken = 0
  for (const [i, { payload, part }] of records.entries()) {
    taken += payload.length
    if (part !== undefined) {
      const left = (open.get(part.transactionId) ?? part.participants.length) - 1
      if (left > 0) open.set(part.transactionId, left)
      else open.delete(part.transactionId)
    }
    if (taken >= bytes && open.size === 0) return records.slice(0, i + 1)
  }
  return records
}
