/** Messages of replication over a transport: which node speaks is told by the connection, never by the message. */
import { invariant } from '../../errors.ts'
import type { Transport } from './transport.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'
import type { ShardMessage } from './wire/message-codec.ts'

/** Sends messages of the replicas of node `self`. false: it is certain that this one is lost, which the protocol allows for. */
export function messageSender(self: string, transport: Pick<Transport, 'send'>): (message: ShardMessage) => boolean {
  return (each) => {
    const { from, to } = each.message
    invariant(from.node === self, () => `a message of ${from.node} sent by ${self}`)
    return transport.send(to.node, encodeMessage(each))
  }
}

/** The transport's `onMessage`. Batches are views of what was received: `receive` copies those that it keeps. */
export function messageReceiver(self: string, receive: (message: ShardMessage) => void): (from: string, body: Uint8Array) => void {
  return (from, body) => receive(decodeMessage(body, from, self))
}
