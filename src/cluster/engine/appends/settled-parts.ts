/**
 * Up to where, in each shard, all parts of statements are visible in all their shards. Leaders may forget those parts. They
 * are told a little later than it is known, so that a snapshot which is being taken meanwhile still finds them listed.
 */
import type { Participants } from '../../../lsm/batch.ts'

export interface SettledParts {
  add(shard: number, baseSequence: number, statement: Participants): void
  /** The part that begins there can be seen at its leader. */
  visible(shard: number, baseSequence: number): void
  /** Everything that the shard has up to there is visible in all shards, as a term begins. */
  begin(shard: number, throughSequence: number): void
  /** What the shard's leader may be told now. */
  through(shard: number): number
}

interface Statement {
  partsLeft: number
  readonly id: string
}

interface ShardParts {
  /** In the order of the log. */
  readonly waiting: { readonly baseSequence: number; readonly statement: Statement }[]
  /** Settled, and not told yet. */
  readonly later: { readonly sequence: number; readonly atMs: number }[]
  told: number
}

const laterMs = 200

export function createSettledParts(shardCount: number, monotonicMs: () => number): SettledParts {
  const shards = Array.from({ length: shardCount }, (): ShardParts => ({ waiting: [], later: [], told: 0 }))
  const statements = new Map<string, Statement>()

  function settle(parts: ShardParts): void {
    let sequence: number | undefined
    while (parts.waiting[0]?.statement.partsLeft === 0) sequence = parts.waiting.shift()!.baseSequence
    if (sequence !== undefined) parts.later.push({ sequence, atMs: monotonicMs() })
  }

  return {
    add(shard, baseSequence, { transactionId, parts }) {
      const id = Buffer.from(transactionId).toString('latin1')
      const statement = statements.get(id) ?? { partsLeft: parts.length, id }
      statements.set(id, statement)
      shards[shard]!.waiting.push({ baseSequence, statement })
    },
    visible(shard, baseSequence) {
      const part = shards[shard]!.waiting.find((each) => each.baseSequence === baseSequence)
      if (part === undefined || --part.statement.partsLeft > 0) return
      statements.delete(part.statement.id)
      shards.forEach(settle)
    },
    begin: (shard, throughSequence) => void shards[shard]!.later.push({ sequence: throughSequence, atMs: monotonicMs() }),
    through(shard) {
      const parts = shards[shard]!
      while (parts.later[0] !== undefined && parts.later[0].atMs + laterMs <= monotonicMs()) parts.told = parts.later.shift()!.sequence
      return parts.told
    },
  }
}
