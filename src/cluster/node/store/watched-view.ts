/** Keeps the view of a cluster by listing and watching, and begins again whenever the watch lost its place. */
import type { LsmtError } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { Log } from '../../../runtime/log.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Told } from '../../transport/told.ts'
import { changedView, emptyView, listedView } from './cluster-view.ts'
import type { ClusterView } from './cluster-view.ts'
import type { StoreKeys } from './keys.ts'

export interface WatchedView {
  readonly view: ClusterView
  /** Why it may be old: the last attempt to reach the store failed. */
  readonly failure: string | undefined
  /** What it gives ends that. */
  onChange(listener: () => void): () => void
  close(): Promise<void>
}

export interface WatchOptions {
  readonly etcd: Pick<EtcdClient, 'list' | 'watch'>
  readonly keys: StoreKeys
  readonly alarms: Alarms
  readonly log: Log
  readonly told: Told
  readonly retryMs: number
}

/** Resolves with the first listing; throws when there is none. */
export async function watchView(options: WatchOptions): Promise<WatchedView> {
  const { etcd, keys, alarms, log, told, retryMs } = options
  const ended = new AbortController()
  const listeners = new Set<() => void>()
  let view: ClusterView = emptyView
  let failure: string | undefined

  const onUnreadable = (key: string, error: LsmtError): void => {
    if (told.isNews(key, error.message)) log.error({ key, code: error.code }, `${error.message}: what was known of it before is kept`)
  }
  const heard = (): void => {
    if (failure !== undefined && told.isNews('watch', 'heard')) log.info({}, 'changes in etcd are heard of again')
    failure = undefined
  }
  const become = (next: ClusterView): void => {
    view = next
    for (const listener of listeners) listener()
  }
  const lost = (why: string): void => {
    failure = why
    if (told.isNews('watch', why)) log.warn({}, `changes in etcd are not heard of: ${why}`)
  }

  async function list(): Promise<bigint> {
    const listing = await etcd.list(keys.prefix)
    become(listedView(view, keys, listing.keyValues, onUnreadable))
    return listing.revision
  }

  /** Until the watch loses its place, or is ended. */
  async function follow(revision: bigint): Promise<void> {
    for await (const event of etcd.watch({ scope: { prefix: keys.prefix }, fromRevision: revision + 1n, signal: ended.signal, onBegun: heard, onLost: (endpoint, why) => lost(`${endpoint}: ${why}`) })) {
      if (event.kind === 'changes') become(changedView(view, keys, event.changes, onUnreadable))
      else if (event.kind === 'compacted') log.info({ compactRevision: String(event.compactRevision) }, 'etcd has forgotten changes that were not heard of yet: all keys are listed again')
    }
  }

  async function keepWatching(first: bigint): Promise<void> {
    for (let revision: bigint | undefined = first; !ended.signal.aborted; revision = undefined) {
      try {
        await follow(revision ?? (await list()))
      } catch (error) {
        if (ended.signal.aborted) return
        lost((error as Error).message)
        await pause(alarms, retryMs, ended.signal)
      }
    }
  }

  const watching = keepWatching(await list())
  return {
    get view() { return view },
    get failure() { return failure },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async close() {
      ended.abort()
      listeners.clear()
      await watching
    },
  }
}
