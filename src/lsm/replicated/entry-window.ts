/**
 * The end of a replica's log as it is held in memory: entries that are not visible yet, and before them some that are,
 * for peers that lag a little, so that their log need not be read for them.
 */
import { invariant } from '../../errors.ts'
import type { ReplicatedEntry } from './replicated-tree.ts'

/** What an entry takes beside its bytes, about. */
const entryBytes = 200

export interface EntryWindow {
  /** Of the entry before the first that is held. */
  readonly startSequence: number
  readonly lastSequence: number
  /** The first entry that is not visible. */
  readonly next: ReplicatedEntry | undefined
  push(entry: ReplicatedEntry): void
  /** The next entry is visible now. */
  pass(): void
  /** Drops entries after `sequence`, where one ends. */
  cut(sequence: number): void
  /** See `ReplicatedTree.readAfter`; undefined when they are not held here. */
  after(sequence: number, bytesMax: number): readonly ReplicatedEntry[] | undefined
}

/** Visible entries may take `recentBytesMax`; once they take more, a quarter of them goes. */
export function createEntryWindow(startSequence: number, recentBytesMax: number): EntryWindow {
  let entries: ReplicatedEntry[] = []
  let next = 0, recentBytes = 0, start = startSequence
  const lastSequence = (): number => entries.at(-1)?.lastSequence ?? start

  function forget(): void {
    let count = 0
    for (; count < next && recentBytes > recentBytesMax * 0.75; count++) recentBytes -= entryBytes + entries[count]!.batch.length
    start = entries[count - 1]!.lastSequence
    entries = entries.slice(count)
    next -= count
  }

  return {
    get startSequence() { return start },
    get lastSequence() { return lastSequence() },
    get next() { return entries[next] },
    push: (entry) => void entries.push(entry),
    pass() {
      recentBytes += entryBytes + entries[next]!.batch.length
      next++
      if (recentBytes > recentBytesMax) forget()
    },
    cut(sequence) {
      while (entries.length > next && lastSequence() > sequence) entries.pop()
      invariant(lastSequence() === sequence, () => `a cut at sequence ${sequence}, where no entry that may go begins`)
    },
    after(sequence, bytesMax) {
      if (sequence < start) return undefined
      const first = placeAfter(entries, sequence)
      const taken: ReplicatedEntry[] = []
      for (let i = first, bytes = 0; i < entries.length && (i === first || bytes + entries[i]!.batch.length <= bytesMax); i++) {
        taken.push(entries[i]!)
        bytes += entries[i]!.batch.length
      }
      return taken
    },
  }
}

/** Index of the first entry after `sequence`. */
function placeAfter(entries: readonly ReplicatedEntry[], sequence: number): number {
  let from = 0, to = entries.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (entries[middle]!.baseSequence > sequence) to = middle
    else from = middle + 1
  }
  return from
}
