/**
 * Connections that other nodes have opened. Of each node there is one: a newer one of the same start of it takes the place
 * of the older, which must be dead then; one of another start is refused until the older has ended or is silent for too
 * long, since two nodes that go by one name must not throw each other out in turn.
 */
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import { Answerer } from './call/answerer.ts'
import type { Services } from './call/services.ts'
import { upgradeAnswer } from './dial/upgrade.ts'
import { violation } from './frame/frame.ts'
import { acceptorHandshake } from './handshake/handshake.ts'
import type { Peer } from './handshake/handshake.ts'
import { shakeHands } from './handshake/shake-hands.ts'
import type { Link, LinkStats } from './link.ts'
import type { Node } from './node.ts'

export interface AcceptorStats extends LinkStats {
  readonly node: string
}

/** Of whoever has not said who it is. */
const somebody = 'somebody'

export class Acceptor {
  readonly #self: Node
  readonly #services: Services
  readonly #arrived: (node: string) => void
  readonly #connected = new Map<string, { readonly peer: Peer; readonly link: Link }>()
  readonly #unproved = new Set<Link>()
  #isClosed = false

  /** `arrived` is told of each node that has proved who it is. */
  constructor(self: Node, services: Services, arrived: (node: string) => void) {
    this.#self = self
    this.#services = services
    this.#arrived = arrived
  }

  accept(socket: Duplex, head: Uint8Array): void {
    if (this.#isClosed) {
      socket.destroy()
      return
    }
    this.#makeRoom()
    socket.write(upgradeAnswer())
    if (head.byteLength > 0) socket.unshift(head)
    const handshake = acceptorHandshake(this.#self.identity, this.#self.nonce(), (peer) => this.#admit(peer))
    const link = shakeHands(this.#self, socket, handshake, {
      proved: (proved, peer) => this.#established(proved, peer),
      failed: (reason, node = somebody) => {
        this.#unproved.delete(link)
        this.#tell(node, reason.message)
      },
    })
    this.#unproved.add(link)
  }

  close(): void {
    this.#isClosed = true
    const closed = new LsmtError('08006', 'this node closed the connection')
    for (const { link } of this.#connected.values()) link.end(closed)
    for (const link of this.#unproved) link.end(closed)
  }

  stats(): readonly AcceptorStats[] {
    return [...this.#connected].map(([node, { link }]) => ({ node, ...link.stats() }))
  }

  /** Who belongs here needs a moment to prove it: of too many who have not yet, the one that takes longest goes. */
  #makeRoom(): void {
    const { handshakesMax } = this.#self.settings
    const [oldest] = this.#unproved
    if (this.#unproved.size >= handshakesMax) oldest!.end(violation(`it was the oldest of ${handshakesMax} that had not proved who they are`))
  }

  /** Why a peer that has proved itself is not let in; undefined when it is. */
  #admit({ node, instance }: Peer): string | undefined {
    const before = this.#connected.get(node)
    if (before === undefined) return undefined
    if (before.peer.instance !== instance) return `another ${node} is connected to ${this.#self.identity.node}: two nodes go by that name, or it was started again and its old connection has not timed out yet`
    before.link.end(new LsmtError('08006', 'it opened a newer one'))
    return undefined
  }

  #established(link: Link, peer: Peer): void {
    const { node } = peer
    this.#unproved.delete(link)
    const answerer = new Answerer(node, link, this.#services, this.#self.settings)
    link.establish({
      receive: (frame) => answerer.receive(frame),
      ended: (reason) => {
        if (this.#connected.get(node)?.link === link) this.#connected.delete(node)
        answerer.ended(reason)
        this.#tell(node, reason.message)
      },
    })
    this.#connected.set(node, { peer, link })
    const { told, log } = this.#self
    if (told.isNews(`from ${node}`, 'connected')) log.info({ peer: node }, `${node} is connected`)
    this.#arrived(node)
  }

  #tell(node: string, reason: string): void {
    const { told, log } = this.#self
    if (!this.#isClosed && told.isNews(`from ${node}`, reason)) log.warn({ peer: node }, `no connection from ${node}: ${reason}`)
  }
}
