/**
 * What a leader tells the other replicas of a shard of parts of statements over several shards, beside the messages of
 * replication. It is a fact that does not change any more, whoever leads: of what it names everything is committed.
 *
 *   │ u8 32 │ shard │ store it is to │ released through │ settled through │
 *
 * Integers are in as few bytes as they need. Never change the number; the messages of replication have those below it.
 */
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'

export interface ReleasedMessage {
  readonly shard: number
  readonly toStore: string
  /** Parts up to it may become visible. */
  readonly throughSequence: number
  /** Parts up to it are visible in all of their shards. */
  readonly settledThrough: number
}

const releasedNumber = 32
const shardMax = 0xffff
const storeBytesMax = 128

export const isReleased = (body: Uint8Array): boolean => body[0] === releasedNumber

export function encodeReleased({ shard, toStore, throughSequence, settledThrough }: ReleasedMessage): Uint8Array {
  const writer = createByteWriter(64)
  writer.u8(releasedNumber)
  writer.count(shard)
  writer.text(toStore)
  writer.count(throughSequence)
  writer.count(settledThrough)
  return writer.done()
}

/** 08P01 for what is none. */
export function decodeReleased(body: Uint8Array): ReleasedMessage {
  const reader = createByteReader(body, 'a message of released parts')
  reader.u8('kind')
  const message = { shard: reader.count('shard', shardMax), toStore: reader.text('store it is to', storeBytesMax), throughSequence: reader.count('released through'), settledThrough: reader.count('settled through') }
  reader.end()
  return message
}
