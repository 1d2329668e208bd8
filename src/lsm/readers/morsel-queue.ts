/**
 * Row groups of one scan on their way to whichever thread takes them first: a ring in linear memory between the serving
 * thread, which alone puts them in, and all threads that take them out (morsel-driven parallelism: Leis, Boncz, Kemper,
 * Neumann 2014). Nobody holds a lock; whoever finds nothing goes on with something else, or sleeps.
 *
 *   word 0   signal     grows with every change that a sleeping reader is to look at
 *        1   published  morsels put in so far
 *        2   taken      morsels taken out so far, at most those published
 *        3   ending     see `queueEnding`
 *        4   sleepers   readers that wait, or are about to
 *   from word 16 on, ring of `morselsMax` slots: morsel m stands in slot m mod morselsMax
 *        0   done       1 once its taker is through with it: the slot, and the chunks it names, may go
 *        1   rows of the row group
 *        2   1 when the predicate is to be asked of its rows
 *        3   bitmap of the rows that newer runs leave, and in 4 how many these are; 0 = all
 *        5   the row group's number in its file, in 6 how many this has, and in 7 the address of their live rows' counts
 *        8…  addresses of its chunks, in the order of the plan's names; 0 = the file has none
 *        …   addresses of the file's zone maps, in the same order
 *
 * What a slot says is written before `published` passes it, and what a taker wrote before `done`: both by Atomics, which
 * order all other accesses. Chunks are immutable and stay pinned until `done`.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'

export const morselsMax = 512

/** `open`: more may come. `complete`: what is there is all. `stopped`: what is there is of no use any more. */
export const queueEnding = { open: 0, complete: 1, stopped: 2 } as const

const signal = 0, published = 1, taken = 2, ending = 3, sleepers = 4
const headerWords = 16, slotHeaderWords = 8
const done = 0, rows = 1, filtered = 2, selection = 3, selected = 4, rowGroupNumber = 5, rowGroups = 6, liveRows = 7

/** A morsel's number, from 0 on in a scan; -1 for none. */
export type Morsel = number

export interface MorselQueue {
  readonly words: Int32Array
  /** Of the queue's first word. */
  readonly start: number
  readonly slotWords: number
  readonly chunkCount: number
}

const slotWordsOf = (chunkCount: number): number => slotHeaderWords + 2 * chunkCount

export const queueBytes = (chunkCount: number): number => 4 * (headerWords + morselsMax * slotWordsOf(chunkCount))

export function viewQueue({ i32 }: LinearMemory, address: Pointer, chunkCount: number): MorselQueue {
  return { words: i32, start: address >>> 2, slotWords: slotWordsOf(chunkCount), chunkCount }
}

/** Makes the memory of a queue an empty one. */
export function clearQueue({ words, start, slotWords }: MorselQueue): void {
  words.fill(0, start, start + headerWords + morselsMax * slotWords)
}

const slotOf = ({ start, slotWords }: MorselQueue, morsel: Morsel): number => start + headerWords + (morsel % morselsMax) * slotWords

/** Writes a morsel that is not published yet; its slot must be free. Its chunks are to be written as well. */
export function writeMorsel(queue: MorselQueue, morsel: Morsel, { rowCount, mustFilter, standing, rowGroup, rowGroupCount, liveRowCounts }: Omit<MorselRows, 'chunk' | 'zoneMap'>): void {
  const { words } = queue, slot = slotOf(queue, morsel)
  words[slot + done] = 0
  words[slot + rows] = rowCount
  words[slot + filtered] = mustFilter ? 1 : 0
  words[slot + selection] = standing?.selection ?? 0
  words[slot + selected] = standing?.selectedCount ?? rowCount
  words[slot + rowGroupNumber] = rowGroup
  words[slot + rowGroups] = rowGroupCount
  words[slot + liveRows] = liveRowCounts
}

/** `place` in the plan's names. */
export function writeMorselColumn(queue: MorselQueue, morsel: Morsel, place: number, chunk: Pointer, zoneMap: Pointer): void {
  const { words, chunkCount } = queue, slot = slotOf(queue, morsel)
  words[slot + slotHeaderWords + place] = chunk
  words[slot + slotHeaderWords + chunkCount + place] = zoneMap
}

/** Lets all morsels below `count` be taken. */
export function publishMorsels(queue: MorselQueue, count: number): void {
  Atomics.store(queue.words, queue.start + published, count)
  wake(queue)
}

export function endQueue(queue: MorselQueue, how: keyof typeof queueEnding): void {
  Atomics.store(queue.words, queue.start + ending, queueEnding[how])
  wake(queue)
}

function wake({ words, start }: MorselQueue): void {
  Atomics.add(words, start + signal, 1)
  // Who is not counted yet will see the new signal, and not sleep.
  if (Atomics.load(words, start + sleepers) > 0) Atomics.notify(words, start + signal)
}

export const untakenMorsels = ({ words, start }: MorselQueue): number => Atomics.load(words, start + published) - Atomics.load(words, start + taken)

export function takeMorsel({ words, start }: MorselQueue): Morsel {
  for (;;) {
    const next = Atomics.load(words, start + taken)
    if (next >= Atomics.load(words, start + published)) return -1
    if (Atomics.compareExchange(words, start + taken, next, next + 1) === next) return next
  }
}

export function finishMorsel(queue: MorselQueue, morsel: Morsel): void {
  Atomics.store(queue.words, slotOf(queue, morsel) + done, 1)
}

export const isMorselDone = (queue: MorselQueue, morsel: Morsel): boolean => Atomics.load(queue.words, slotOf(queue, morsel) + done) === 1

/** Looks again so often, some 50 µs, before a reader sleeps: waking it costs the serving thread as much as a few morsels. */
const looksMax = 4096

/** The next morsel, for which a thread other than the serving one waits; 'complete' or 'stopped' when there is none to wait for. */
export function awaitMorsel(queue: MorselQueue): Morsel | 'complete' | 'stopped' {
  const { words, start } = queue
  for (;;) {
    const seen = Atomics.load(words, start + signal)
    const state = Atomics.load(words, start + ending)
    if (state === queueEnding.stopped) return 'stopped'
    const morsel = takeMorsel(queue)
    if (morsel >= 0) return morsel
    if (state === queueEnding.complete) return 'complete'
    if (changesSoon(words, start + signal, seen)) continue
    Atomics.add(words, start + sleepers, 1)
    Atomics.wait(words, start + signal, seen)
    Atomics.sub(words, start + sleepers, 1)
  }
}

/** Whether a word becomes another within a moment. */
export function changesSoon(words: Int32Array, index: number, from: number, looks = looksMax): boolean {
  for (let look = 0; look < looks; look++) if (Atomics.load(words, index) !== from) return true
  return false
}

export interface MorselRows {
  readonly rowCount: number
  readonly mustFilter: boolean
  /** Rows that newer runs leave; undefined: all. Whoever takes the morsel may change the bitmap. */
  readonly standing: { readonly selection: Pointer; selectedCount: number } | undefined
  /** In its file, whose zone maps say something of it. */
  readonly rowGroup: number
  readonly rowGroupCount: number
  readonly liveRowCounts: Pointer
  /** Both by place in the plan's names. */
  chunk(place: number): Pointer
  zoneMap(place: number): Pointer
}

/** Good until the morsel is finished. */
export function readMorsel(queue: MorselQueue, morsel: Morsel): MorselRows {
  const { words, chunkCount } = queue, slot = slotOf(queue, morsel)
  const standing = words[slot + selection] === 0 ? undefined : { selection: words[slot + selection]!, selectedCount: words[slot + selected]! }
  return {
    rowCount: words[slot + rows]!,
    mustFilter: words[slot + filtered] === 1,
    standing,
    rowGroup: words[slot + rowGroupNumber]!,
    rowGroupCount: words[slot + rowGroups]!,
    liveRowCounts: words[slot + liveRows]!,
    chunk: (place) => words[slot + slotHeaderWords + place]!,
    zoneMap: (place) => words[slot + slotHeaderWords + chunkCount + place]!,
  }
}
