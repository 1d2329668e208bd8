/** A handshake over a new socket: what its steps mean for the link. */
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../../errors.ts'
import { Link } from '../link.ts'
import type { Node } from '../node.ts'
import type { Handshake, Peer } from './handshake.ts'

export interface HandsShaken {
  /** Both sides are satisfied; the link is to be established before this returns. */
  proved(link: Link, peer: Peer): void
  /** The link has ended before that; `node` is who the other side said it was, if it came to that. */
  failed(reason: LsmtError, node: string | undefined): void
}

export function shakeHands({ clock, settings }: Node, socket: Duplex, receive: Handshake, { proved, failed }: HandsShaken): Link {
  let refusedNode: string | undefined
  const link: Link = new Link({
    socket, clock, settings,
    handshake: {
      receive(frame) {
        const step = receive(frame)
        if (step.send !== undefined && step.kind !== 'refused') link.push(step.send)
        if (step.kind === 'proved') proved(link, step.peer)
        else if (step.kind === 'refused') {
          refusedNode = step.node
          const refusal = new LsmtError('28000', `refused: ${step.reason}`)
          if (step.send === undefined) link.end(refusal)
          else link.endWith(step.send, refusal)
        }
      },
      ended: (reason) => failed(reason, refusedNode),
    },
  })
  return link
}
