/** A leader on another node. */
import type { OpenedShard } from '../../replica/replica.ts'
import type { Transport } from '../../transport/transport.ts'
import { answerOf, decodeAppended, decodeOpened, encodeAppend, encodeOpen, encodeRelease } from './append-codec.ts'
import type { ShardLeader } from './shard-leader.ts'

/** Who does not answer for so long is asked again, or somebody else is: a commit may have to wait until a lost member is replaced. */
const timeoutMs = 15_000

export function leaderElsewhere(transport: Pick<Transport, 'request' | 'stream'>, node: string, epoch: number, shard: number): ShardLeader {
  return {
    node,
    epoch,
    async open(coordinator): Promise<OpenedShard> {
      const pieces: Uint8Array[] = []
      for await (const piece of transport.stream(node, 'shard.open', [encodeOpen({ shard, coordinator })], { signal: AbortSignal.timeout(timeoutMs) })) pieces.push(Uint8Array.from(piece))
      return decodeOpened(Buffer.concat(pieces), shard)
    },
    async append(coordinator, offer) {
      const answer = await transport.request(node, 'shard.append', encodeAppend({ shard, coordinator, ...offer }), { timeoutMs })
      return decodeAppended(answer, shard)
    },
    async release(coordinator, throughSequence, settledThrough) {
      const answer = await transport.request(node, 'shard.release', [encodeRelease({ shard, coordinator, throughSequence, settledThrough })], { timeoutMs })
      answerOf(answer, shard).end()
    },
  }
}
