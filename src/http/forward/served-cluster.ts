/** What a server asks of the cluster that its node is part of; src/cluster/ has it. */
import type { Duplex } from 'node:stream'
import type { ClusterMembership } from '../../cluster/node/membership.ts'
import type { Engine } from '../../engine/engine.ts'

/** What a read may show. */
export type Consistency =
  /** Everything that was acknowledged before it began. */
  | { readonly kind: 'linearizable' }
  /** Everything that stands behind a token, which an answer before it told; any state without one. */
  | { readonly kind: 'session'; readonly token: string | undefined }
  /** What was true at most so long ago. */
  | { readonly kind: 'stale'; readonly maxMs: number }

/** Where statements that write run now. */
export type Coordinator =
  | { readonly kind: 'here'; readonly engine: Engine }
  | {
    readonly kind: 'there'
    readonly node: string
    /** Its base, without a '/' at the end. */
    readonly url: string
    /** Aborts when it does not coordinate any more. */
    readonly over: AbortSignal
  }

export interface ServedCluster {
  /** The name of this node. */
  readonly nodeId: string
  /** Reads, linearizable; whatever writes is 25006. */
  readonly engine: Engine
  /** The same at another level, of the same catalog. 22023 for a token that is none. */
  at(consistency: Consistency): Engine
  /** Waits up to `waitMs` for one to be known. 57P03 when none is. */
  coordinator(waitMs: number): Promise<Coordinator>
  /** For reads of a session: everything that this node has acknowledged or read, and what stands behind `seen`. */
  token(seen?: string): string
  /** On how many nodes a write is when it is acknowledged. */
  readonly copies: number
  /** Who is there, where copies are, and what people ask of it. */
  readonly membership: Pick<ClusterMembership, 'status' | 'statusOfAll' | 'operate'>
  /** Whether a request asks for the protocol between nodes, and its socket, with what was read of it already. */
  isUpgrade(request: { readonly url?: string | undefined; readonly headers: { readonly upgrade?: string | undefined } }): boolean
  accept(socket: Duplex, head: Uint8Array): void
}
