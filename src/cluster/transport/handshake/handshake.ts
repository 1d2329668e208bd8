/**
 * Both sides of the handshake, without sockets: a frame comes in, a step comes out.
 *
 *   dialer    hello ──────▶            ◀────── hello    acceptor
 *             proof ──────▶  checks    ◀────── proof
 *   checks
 *
 * Whoever finds something wrong says so in one line, in a refusal, which both sides log. The one that dials proves first,
 * and nothing about connected nodes is told, or changed, before it has.
 */
import type { OutgoingFrame, Frame } from '../frame/frame.ts'
import { encodeFrame, violation } from '../frame/frame.ts'
import { decodeHello, encodeHello, protocolVersions } from './hello.ts'
import type { Hello } from './hello.ts'
import { isProof, proofOf } from './proof.ts'
import type { ProofKey, Role } from './proof.ts'

export interface Identity {
  readonly cluster: string
  readonly node: string
  readonly instance: string
  readonly key: ProofKey
}

/** Who is at the other end, proved. */
export interface Peer {
  readonly node: string
  readonly instance: string
  readonly version: number
}

export type HandshakeStep =
  | { readonly kind: 'more'; readonly send: OutgoingFrame }
  | { readonly kind: 'proved'; readonly peer: Peer; readonly send: OutgoingFrame | undefined }
  /** `send` is the refusal, when it is ours. `node` is who the other side says it is. */
  | { readonly kind: 'refused'; readonly reason: string; readonly node: string; readonly send: OutgoingFrame | undefined }

/** Throws 08P01 for what is no frame of a handshake. */
export type Handshake = (frame: Frame) => HandshakeStep

const reasonBytesMax = 512
const unknownNode = 'a node'

const more = (kind: 'hello' | 'proof', payload: Uint8Array): HandshakeStep => ({ kind: 'more', send: encodeFrame(kind, 0, [payload]) })
const refuse = (reason: string, node: string): HandshakeStep => ({ kind: 'refused', reason, node, send: encodeFrame('refusal', 0, [Buffer.from(reason, 'utf8').subarray(0, reasonBytesMax)]) })
const refusedBy = (frame: Frame, node: string): HandshakeStep => ({ kind: 'refused', reason: Buffer.from(frame.payload.subarray(0, reasonBytesMax)).toString('utf8'), node, send: undefined })

/** `wanted` is the node to which the connection was opened. */
export function dialerHandshake(self: Identity, wanted: string, nonce: Uint8Array): { readonly hello: OutgoingFrame; readonly receive: Handshake } {
  const own = encodeHello(helloOf(self, wanted, nonce))
  let theirs: { readonly peer: Peer; readonly bytes: Uint8Array } | undefined
  function receive(frame: Frame): HandshakeStep {
    if (frame.kind === 'refusal') return refusedBy(frame, wanted)
    if (theirs === undefined) {
      const hello = helloFrom(frame)
      const wrong = mismatch(self, hello, 'dialer') ?? (hello.node === wanted ? undefined : `${self.node} wants ${wanted}, this is ${hello.node}`)
      if (wrong !== undefined) return refuse(wrong, wanted)
      theirs = { peer: peerOf(hello), bytes: Buffer.from(frame.payload) }
      return more('proof', proofOf(self.key, 'dialer', own, theirs.bytes))
    }
    const { peer, bytes } = theirs
    if (!isProof(proofOf(self.key, 'acceptor', own, bytes), proofFrom(frame))) return refuse(`${peer.node} has another cluster secret than ${self.node}`, wanted)
    return { kind: 'proved', peer, send: undefined }
  }
  return { hello: encodeFrame('hello', 0, [own]), receive }
}

/** `admit` decides about a peer that has proved itself: undefined, or why it is not let in. */
export function acceptorHandshake(self: Identity, nonce: Uint8Array, admit: (peer: Peer) => string | undefined): Handshake {
  let asked: { readonly peer: Peer; readonly theirs: Uint8Array; readonly own: Uint8Array } | undefined
  return (frame) => {
    if (frame.kind === 'refusal') return refusedBy(frame, asked?.peer.node ?? unknownNode)
    if (asked === undefined) {
      const hello = helloFrom(frame)
      const wrong = mismatch(self, hello, 'acceptor') ?? (hello.wanted === self.node ? undefined : `${hello.node} wants ${hello.wanted}, this is ${self.node}`)
      if (wrong !== undefined) return refuse(wrong, hello.node)
      asked = { peer: peerOf(hello), theirs: Buffer.from(frame.payload), own: encodeHello(helloOf(self, self.node, nonce)) }
      return more('hello', asked.own)
    }
    const { peer, theirs, own } = asked
    if (!isProof(proofOf(self.key, 'dialer', theirs, own), proofFrom(frame))) return refuse(`${peer.node} has another cluster secret than ${self.node}`, peer.node)
    const reason = admit(peer)
    if (reason !== undefined) return refuse(reason, peer.node)
    return { kind: 'proved', peer, send: encodeFrame('proof', 0, [proofOf(self.key, 'acceptor', theirs, own)]) }
  }
}

function helloOf({ cluster, node, instance }: Identity, wanted: string, nonce: Uint8Array): Hello {
  return { leastVersion: protocolVersions.least, greatestVersion: protocolVersions.greatest, cluster, node, wanted, instance, nonce }
}

function helloFrom(frame: Frame): Hello {
  if (frame.kind !== 'hello') throw violation(`a frame (${frame.kind}) where a hello was expected`)
  return decodeHello(frame.payload)
}

function proofFrom(frame: Frame): Uint8Array {
  if (frame.kind !== 'proof') throw violation(`a frame (${frame.kind}) where a proof was expected`)
  return frame.payload
}

const versionOf = (hello: Hello): number => Math.min(protocolVersions.greatest, hello.greatestVersion)

const peerOf = (hello: Hello): Peer => ({ node: hello.node, instance: hello.instance, version: versionOf(hello) })

/** Why the two do not go together, in words that are true on both sides. */
function mismatch(self: Identity, hello: Hello, role: Role): string | undefined {
  const { least, greatest } = protocolVersions
  if (versionOf(hello) < Math.max(least, hello.leastVersion)) return `${hello.node} speaks versions ${hello.leastVersion} to ${hello.greatestVersion} of the protocol between nodes, ${self.node} ${least} to ${greatest}`
  if (hello.cluster !== self.cluster) return `${hello.node} is of cluster '${hello.cluster}', ${self.node} of '${self.cluster}'`
  if (hello.node !== self.node) return undefined
  return hello.instance === self.instance ? `${self.node} reached itself${role === 'dialer' ? ': the address of another node leads here' : ''}` : `two nodes are called ${self.node}`
}
