/** What a log says of statements over several shards: the parts that it holds, and which were aborted. */
import { operation, readBatchHeader, readOperations } from '../batch.ts'
import type { Participant } from '../batch.ts'
import type { LogRecord } from './log.ts'

/** This shard's part of a statement over several shards, found in its log above what is flushed. */
export interface LoggedPart {
  /** 32 hexadecimal digits. */
  readonly transactionId: string
  readonly baseSequence: number
  readonly participants: readonly Participant[]
}

export interface LoggedParts {
  readonly parts: readonly LoggedPart[]
  /** Transaction ids of abort records. */
  readonly aborted: ReadonlySet<string>
}

export function partOf(payload: Uint8Array, file: string): LoggedPart | undefined {
  const { participants, baseSequence } = readBatchHeader(payload, file)
  if (participants === undefined) return undefined
  return { transactionId: Buffer.from(participants.transactionId).toString('hex'), baseSequence, participants: participants.parts }
}

/** Transaction ids of a record's aborts. */
export function abortsIn(payload: Uint8Array, file: string): readonly string[] {
  if (!readBatchHeader(payload, file).isControl) return []
  return [...readOperations(payload, file)].filter(({ kind }) => kind === operation.abort).map(({ key }) => Buffer.from(key).toString('hex'))
}

export async function partsIn(records: AsyncIterable<Pick<LogRecord, 'payload' | 'file'>>): Promise<LoggedParts> {
  const parts: LoggedPart[] = []
  const aborted = new Set<string>()
  for await (const { payload, file } of records) {
    const part = partOf(payload, file)
    if (part !== undefined) parts.push(part)
    for (const id of abortsIn(payload, file)) aborted.add(id)
  }
  return { parts, aborted }
}
