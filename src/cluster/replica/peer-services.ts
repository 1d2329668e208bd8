/** What replicas of this node get from other nodes, as the transport takes it. */
import { LsmtError } from '../../errors.ts'
import type { StreamHandler } from '../transport/call/services.ts'
import { messageReceiver } from '../transport/replication-messages.ts'
import { decodeFilesQuestion, filesMethod } from './files/files-stream.ts'
import type { PeerReplica } from './replica-options.ts'
import { withOwnBatches } from './wire/received-batches.ts'
import { decodeReleased, isReleased } from './wire/released-message.ts'

export interface PeerServices {
  readonly onMessage: (from: string, body: Uint8Array) => void
  readonly streams: Readonly<Record<string, StreamHandler>>
}

/** What comes for shards that are not kept here is dropped: whoever sends will hear who keeps them. */
export function createPeerServices(self: string, replicaOf: (shard: number) => PeerReplica | undefined): PeerServices {
  const receive = messageReceiver(self, ({ shard, message }) => {
    const replica = replicaOf(shard)
    if (replica !== undefined && message.to.store === replica.store) replica.receive(withOwnBatches(message))
  })
  function onReleased(body: Uint8Array): void {
    const message = decodeReleased(body)
    replicaOf(message.shard)?.receiveReleased(message)
  }
  return {
    onMessage: (from, body) => (isReleased(body) ? onReleased(body) : receive(from, body)),
    streams: {
      [filesMethod](body) {
        const { shard, store, forStore } = decodeFilesQuestion(body)
        const replica = replicaOf(shard)
        if (replica?.store !== store) throw new LsmtError('57P03', `shard ${shard} is not kept here, or by another store than ${store}`)
        return replica.streamFiles(forStore)
      },
    },
  }
}
