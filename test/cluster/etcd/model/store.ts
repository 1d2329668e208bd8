/**
 * etcd's state in memory: every change with its revision, leases that end by a clock, watchers. Keys and values are bytes
 * as strings of chars 0 to 255, so that they compare as bytes do.
 */
import type { Alarms } from '../../../../src/runtime/alarms.ts'

export interface StoredKey {
  readonly key: string
  readonly value: string
  readonly createRevision: bigint
  readonly modRevision: bigint
  readonly version: bigint
  readonly lease: bigint
}

export type StoredEvent = { readonly kind: 'put'; readonly key: string; readonly revision: bigint; readonly stored: StoredKey } | { readonly kind: 'delete'; readonly key: string; readonly revision: bigint }

/** As etcd has it: no end is one key, a NUL all keys from there on. */
export interface KeyRange {
  readonly key: string
  readonly end: string
}

const isIn = (key: string, { key: first, end }: KeyRange): boolean => (end === '' ? key === first : key >= first && (end === '\0' || key < end))

/** etcd's text for it, and gRPC's code. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal'
  readonly code: number
  constructor(code: number, message: string) {
    super(`etcdserver: ${message}`)
    this.code = code
  }
}

interface StoredLease {
  readonly ttlSeconds: bigint
  takeBack: () => void
}

export interface Store {
  readonly revision: bigint
  readonly compactRevision: bigint
  /** At that revision; 0n is now. */
  range(range: KeyRange, revision: bigint): readonly StoredKey[]
  get(key: string): StoredKey | undefined
  /** All changes of one transaction have one revision; without a change there is none. */
  change<T>(work: (writer: Writer) => T): T
  compact(revision: bigint): void
  grant(id: bigint, ttlSeconds: bigint): void
  revoke(id: bigint): void
  /** undefined: no such lease. */
  renew(id: bigint): bigint | undefined
  eventsSince(range: KeyRange, revision: bigint): readonly StoredEvent[]
  onChange(listener: () => void): () => void
}

export interface Writer {
  put(key: string, value: string, lease: bigint): void
  delete(range: KeyRange): readonly StoredKey[]
}

export function createStore(alarms: Alarms): Store {
  let revision = 1n
  let compactRevision = 0n
  const history: StoredEvent[] = []
  const current = new Map<string, StoredKey>()
  const leases = new Map<bigint, StoredLease>()
  const listeners = new Set<() => void>()

  const sorted = (keys: Iterable<StoredKey>): StoredKey[] => [...keys].sort((a, b) => (a.key < b.key ? -1 : 1))

  function keysAt(at: bigint): Iterable<StoredKey> {
    if (at === 0n || at === revision) return current.values()
    if (at > revision) throw new StoreRefusal(11, 'mvcc: required revision is a future revision')
    if (at < compactRevision) throw new StoreRefusal(11, 'mvcc: required revision has been compacted')
    const then = new Map<string, StoredKey>()
    for (const event of history) {
      if (event.revision > at) break
      if (event.kind === 'put') then.set(event.key, event.stored)
      else then.delete(event.key)
    }
    return then.values()
  }

  function record(event: StoredEvent): void {
    history.push(event)
    if (event.kind === 'put') current.set(event.key, event.stored)
    else current.delete(event.key)
  }

  const writerAt = (next: bigint): Writer => ({
    put(key, value, lease) {
      if (lease !== 0n && !leases.has(lease)) throw new StoreRefusal(5, 'requested lease not found')
      const before = current.get(key)
      record({ kind: 'put', key, revision: next, stored: { key, value, lease, createRevision: before?.createRevision ?? next, modRevision: next, version: (before?.version ?? 0n) + 1n } })
    },
    delete(range) {
      const doomed = sorted(current.values()).filter(({ key }) => isIn(key, range))
      for (const { key } of doomed) record({ kind: 'delete', key, revision: next })
      return doomed
    },
  })

  function change<T>(work: (writer: Writer) => T): T {
    const before = history.length
    const result = work(writerAt(revision + 1n))
    if (history.length > before) {
      revision += 1n
      for (const listener of listeners) listener()
    }
    return result
  }

  function endLease(id: bigint): void {
    leases.get(id)?.takeBack()
    leases.delete(id)
    const doomed = sorted([...current.values()].filter(({ lease }) => lease === id))
    change((writer) => { for (const { key } of doomed) writer.delete({ key, end: '' }) })
  }

  const begin = (id: bigint, ttlSeconds: bigint): void => void leases.set(id, { ttlSeconds, takeBack: alarms.after(Number(ttlSeconds) * 1000, () => endLease(id)) })

  return {
    get revision() { return revision },
    get compactRevision() { return compactRevision },
    range: (range, at) => sorted(keysAt(at)).filter(({ key }) => isIn(key, range)),
    get: (key) => current.get(key),
    change,
    compact(at) {
      if (at <= compactRevision) throw new StoreRefusal(11, 'mvcc: required revision has been compacted')
      if (at > revision) throw new StoreRefusal(11, 'mvcc: required revision is a future revision')
      compactRevision = at
    },
    grant(id, ttlSeconds) {
      if (leases.has(id)) throw new StoreRefusal(9, 'lease already exists')
      begin(id, ttlSeconds)
    },
    revoke(id) {
      if (!leases.has(id)) throw new StoreRefusal(5, 'requested lease not found')
      endLease(id)
    },
    renew(id) {
      const lease = leases.get(id)
      if (lease === undefined) return undefined
      lease.takeBack()
      begin(id, lease.ttlSeconds)
      return lease.ttlSeconds
    },
    eventsSince: (range, from) => history.filter((event) => event.revision >= from && isIn(event.key, range)),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
