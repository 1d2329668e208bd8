/** The leader's side: what coordinators on other nodes ask of the replicas of this one. */
import { refusalError, refusalOf } from '../../replica/refusal.ts'
import type { Replica } from '../../replica/replica.ts'
import type { RequestHandler, StreamHandler } from '../../transport/call/services.ts'
import { decodeAppend, decodeOpen, decodeRelease, encodeAppended, encodeOpened, encodeRefusal } from './append-codec.ts'
import { appendOffer } from './shard-leader.ts'

export interface AppendServices {
  readonly requests: Readonly<Record<'shard.append' | 'shard.release', RequestHandler>>
  readonly streams: Readonly<Record<'shard.open', StreamHandler>>
}

const done = Uint8Array.of(0)
const pieceBytes = 256 * 1024

export function createAppendServices(replica: (shard: number) => Replica | undefined): AppendServices {
  const here = (shard: number): Replica => {
    const found = replica(shard)
    if (found === undefined) throw refusalError({ kind: 'notLeader', leader: undefined }, shard)
    return found
  }
  return {
    requests: {
      // Batches are handed over before anything is waited for, so that offers stay in their order.
      'shard.append': (body) => answered(async () => {
        const { shard, coordinator, ...offer } = decodeAppend(body)
        return encodeAppended(await appendOffer(here(shard), coordinator, offer))
      }),
      'shard.release': (body) => answered(async () => {
        const { shard, coordinator, throughSequence, settledThrough } = decodeRelease(body)
        await here(shard).release(coordinator, throughSequence, settledThrough)
        return done
      }),
    },
    streams: {
      async *'shard.open'(body) {
        const opened = await answered(async () => {
          const { shard, coordinator } = decodeOpen(body)
          return encodeOpened(await here(shard).open(coordinator))
        })
        for (let at = 0; at < opened.byteLength; at += pieceBytes) yield opened.subarray(at, at + pieceBytes)
      },
    },
  }
}

/** Refusals are answers, so that what they say comes over whole. */
async function answered(run: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await run()
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    return encodeRefusal(refusal)
  }
}

