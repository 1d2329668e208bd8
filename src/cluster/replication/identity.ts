/**
 * Which replica a node is when it starts. A store keeps its id only as long as everything that it ever acknowledged is
 * on it; otherwise it joins as a new one, empty-handed, and no configuration counts on it.
 */

export interface DiskIdentity {
  readonly store: string
  /** Of the last start from this disk. */
  readonly incarnation: number
  /** All that was written was synced before it stopped. */
  readonly wasCleanlyStopped: boolean
  /** Writes were acknowledged only after they were synced. */
  readonly syncsBeforeAck: boolean
}

/** What the configuration store has under `/node/<node>` of its last start. */
export interface RegisteredNode {
  readonly store: string
  readonly incarnation: number
}

export type StartIdentity = { readonly kind: 'same'; readonly incarnation: number } | { readonly kind: 'new'; readonly incarnation: number; readonly reason: string }

/**
 * The incarnation is to be written to the disk first, then to the configuration store, and then the node takes part. A
 * copy of a disk that was made since its last start cannot be told from the disk itself.
 */
export function identityAtStart(disk: DiskIdentity, registered: RegisteredNode | undefined): StartIdentity {
  const incarnation = Math.max(disk.incarnation, registered?.incarnation ?? 0) + 1
  if (registered?.store === disk.store && registered.incarnation > disk.incarnation) {
    return { kind: 'new', incarnation, reason: `the disk is of start ${disk.incarnation}, the node was started ${registered.incarnation} times with it: it is an older copy` }
  }
  if (!disk.syncsBeforeAck && !disk.wasCleanlyStopped) return { kind: 'new', incarnation, reason: 'writes were acknowledged before they were synced, and the node was not stopped cleanly' }
  return { kind: 'same', incarnation }
}
