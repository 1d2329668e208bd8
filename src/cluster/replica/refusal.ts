/** Why a replica does not do what it is asked; nothing came of it. Stands as the cause of the error, for callers that decide by it. */
import { LsmtError } from '../../errors.ts'

export type Refusal =
  /** Somebody else leads, or will; `leader` is the node to ask, where one is known. Of an append: it may have happened, and is to be offered again to whoever leads. */
  | { readonly kind: 'notLeader'; readonly leader: string | undefined }
  /** It leads, and does not know yet what is committed; or the coordinator that asks has not opened the shard in this leadership. */
  | { readonly kind: 'notReady' }
  /** The coordinator that asks is not the one of now, which is that of `epoch`. */
  | { readonly kind: 'fenced'; readonly epoch: number }
  /** What stands before the append is not in the log; it is to be offered from `expectedSequence` on. */
  | { readonly kind: 'gap'; readonly expectedSequence: number }
  /** What a read needs did not come in time. */
  | { readonly kind: 'timedOut' }

const kinds: ReadonlySet<unknown> = new Set<Refusal['kind']>(['notLeader', 'notReady', 'fenced', 'gap', 'timedOut'])

/** 57P03: ask again, or somebody else. 55000 for a coordinator whose time is over. */
export function refusalError(refusal: Refusal, shard: number): LsmtError {
  return new LsmtError(refusal.kind === 'fenced' ? '55000' : '57P03', `shard ${shard}: ${textOf(refusal)}`, {}, refusal)
}

/** What `refusalError` was given; undefined for other errors. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof LsmtError)) return undefined
  const { cause } = error
  return typeof cause === 'object' && cause !== null && 'kind' in cause && kinds.has(cause.kind) ? (cause as Refusal) : undefined
}

function textOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'notLeader':
      return refusal.leader === undefined ? 'this node does not lead it, and no leader is known yet' : `this node does not lead it, ${refusal.leader} does`
    case 'notReady':
      return 'its leader is not ready yet'
    case 'fenced':
      return `writes are coordinated by another node since epoch ${refusal.epoch}`
    case 'gap':
      return `its log goes on at sequence ${refusal.expectedSequence}`
    case 'timedOut':
      return 'what the read needs did not come in time'
  }
}
