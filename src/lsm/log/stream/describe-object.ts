/** What an object of a log stream holds, for people. */
import type { Kernel } from '../../../kernel/kernel.ts'
import { describeBatch } from '../describe-segment.ts'
import type { BatchDescription } from '../describe-segment.ts'
import { readObject } from './object-format.ts'
import type { LogObjectHeader, ObjectDamage } from './object-format.ts'

export interface LogObjectDescription {
  /** undefined when it is damaged. */
  readonly header: LogObjectHeader | undefined
  readonly records: readonly ObjectRecordDescription[]
  /** The first; what follows it has no known place. */
  readonly damage: ObjectDamage | undefined
  readonly byteLength: number
}

interface ObjectRecordDescription extends BatchDescription {
  readonly shard: number
  readonly byteOffset: number
  readonly byteLength: number
  readonly baseSequence: number
}

/** XX002 when another version wrote it. */
export function describeObject(kernel: Kernel, bytes: Uint8Array, file: string): LogObjectDescription {
  const { header, records, damage } = readObject(kernel, bytes, file)
  return { header, damage, byteLength: bytes.length, records: records.map(({ shard, byteOffset, byteLength, baseSequence, payload }) => ({ shard, byteOffset, byteLength, baseSequence, ...describeBatch(payload) })) }
}
