/** Tokens of sessions: up to where, in each shard, something was seen. Opaque to clients: a version, then the sequences, in base64url. */
import { LsmtError } from '../../../errors.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'

const version = 1
const tokenCharactersMax = 64 * 1024

export function encodeToken(sequences: readonly number[]): string {
  const writer = createByteWriter()
  writer.u8(version)
  writer.count(sequences.length)
  for (const sequence of sequences) writer.count(sequence)
  return Buffer.from(writer.done()).toString('base64url')
}

/** 22023 for what is none of a cluster of so many shards. */
export function decodeToken(token: string, shardCount: number): readonly number[] {
  try {
    const bytes = Buffer.from(token.slice(0, tokenCharactersMax), 'base64url')
    if (bytes.toString('base64url') !== token) throw new LsmtError('08P01', 'it has other characters, or too many')
    const reader = createByteReader(bytes, 'a token')
    const found = reader.u8('version')
    if (found !== version) throw reader.wrong('version', String(version), found)
    const count = reader.count('shards', shardCount)
    if (count !== shardCount) throw reader.wrong('shards', String(shardCount), count)
    const sequences = Array.from({ length: count }, () => reader.count('sequence'))
    reader.end()
    return sequences
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    throw new LsmtError('22023', `the session token is none of this cluster: ${error.message}`, { hint: 'give the token of an earlier answer as it came' }, error)
  }
}

export function laterOf(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((sequence, shard) => Math.max(sequence, b[shard]!))
}
