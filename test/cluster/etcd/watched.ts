/** Places for tests in an etcd that they share, and what a watch of one told. */
import type { WatchEvent } from '../../../src/cluster/etcd/watch/watch.ts'
import type { Change } from '../../../src/cluster/etcd/wire/watch-message.ts'

let prefixCount = 0

/** A place that nobody else uses. */
export const freshPrefix = (): string => `t${process.pid}-${Date.now().toString(36)}-${prefixCount++}/`

const keyOf = (change: Change): string => (change.kind === 'put' ? change.keyValue.key : change.key)
/** 'put a=1', without the prefix. */
export const told = (changes: readonly Change[], prefix: string): string[] => changes.map((change) => (change.kind === 'put' ? `put ${keyOf(change).slice(prefix.length)}=${change.keyValue.value}` : `delete ${keyOf(change).slice(prefix.length)}`))

/** Reads until so many changes came. */
export async function changesOf(events: AsyncIterable<WatchEvent>, count: number): Promise<Change[]> {
  const changes: Change[] = []
  for await (const event of events) {
    if (event.kind === 'changes') changes.push(...event.changes)
    if (event.kind === 'compacted') throw new Error('compacted')
    if (changes.length >= count) break
  }
  return changes
}
