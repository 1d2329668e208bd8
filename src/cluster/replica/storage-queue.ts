/**
 * What a replica asks of its disk, in the order in which it was asked, and what came of it in that order too. Appends wait
 * while the tree asks writers to wait; all else waits behind them.
 */
import type { ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import type { ReplicaEvent } from '../replication/event.ts'
import type { LogEntry } from '../replication/state/log-state.ts'
import { createDeferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/deferred.ts'

type StorageRequest =
  | { readonly kind: 'append'; readonly generation: number; readonly entries: LogEntry[]; byteLength: number }
  | { readonly kind: 'truncate'; readonly generation: number; readonly toSequence: number }
  | { readonly kind: 'storeEpoch'; readonly epoch: number }
  | { readonly kind: 'readLog'; readonly store: string; readonly readId: number; readonly afterSequence: number }

interface Begun {
  readonly done: ReplicaEvent
  isDone: boolean
}

/** Of what is read for a peer at once. */
const readBytesMax = 1024 * 1024

export interface StorageQueueOptions {
  readonly tree: () => ReplicatedTree
  give(event: ReplicaEvent): void
  /** A write went wrong: nothing may be promised any more. */
  failed(error: unknown): void
  /** What a peer lacks could not be read; it is tried again later. */
  readFailed(error: unknown): void
}

export class StorageQueue {
  readonly #options: StorageQueueOptions
  readonly #waiting: StorageRequest[] = []
  readonly #begun: Begun[] = []
  #isScheduled = false
  #isTelling = false
  #isAdmitting = false
  #isHeld = false
  #idle: Deferred | undefined

  constructor(options: StorageQueueOptions) {
    this.#options = options
  }

  /** Those of one turn go to the tree as one. */
  append(generation: number, entries: readonly LogEntry[]): void {
    const byteLength = entries.reduce((sum, { batch }) => sum + batch.byteLength, 0)
    const last = this.#waiting.at(-1)
    if (last?.kind !== 'append' || last.generation !== generation) return this.#add({ kind: 'append', generation, entries: [...entries], byteLength })
    last.entries.push(...entries)
    last.byteLength += byteLength
  }

  truncate(generation: number, toSequence: number): void {
    this.#add({ kind: 'truncate', generation, toSequence })
  }

  storeEpoch(epoch: number): void {
    this.#add({ kind: 'storeEpoch', epoch })
  }

  /** Behind the appends before it, which it is to see; but nothing waits for it. */
  readLog(store: string, readId: number, afterSequence: number): void {
    this.#add({ kind: 'readLog', store, readId, afterSequence })
  }

  /** Resolves when all that was asked has ended; from then on nothing is begun. */
  hold(): Promise<void> {
    this.#idle = createDeferred()
    const { promise } = this.#idle
    this.#endHold()
    return promise
  }

  resume(): void {
    this.#isHeld = false
    this.#pump()
  }

  #add(request: StorageRequest): void {
    this.#waiting.push(request)
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#isAdmitting && !this.#isHeld) {
      const next = this.#waiting[0]!
      const admitted = next.kind === 'append' ? this.#options.tree().tree.admit(next.byteLength) : undefined
      if (admitted === undefined) this.#begin(this.#waiting.shift()!)
      else void this.#beginAfter(admitted)
    }
    this.#endHold()
  }

  async #beginAfter(admitted: Promise<void>): Promise<void> {
    this.#isAdmitting = true
    try {
      await admitted
    } catch (error) {
      return this.#options.failed(error)
    }
    this.#isAdmitting = false
    this.#begin(this.#waiting.shift()!)
    this.#pump()
  }

  #begin(request: StorageRequest): void {
    try {
      this.#ask(request)
    } catch (error) {
      this.#options.failed(error)
    }
  }

  #ask(request: StorageRequest): void {
    const tree = this.#options.tree()
    switch (request.kind) {
      case 'append': {
        const { entries, generation } = request
        return this.#await(tree.append(entries), { kind: 'logged', generation, throughSequence: entries.at(-1)!.lastSequence })
      }
      case 'truncate':
        return this.#await(tree.truncate(request.toSequence), { kind: 'logged', generation: request.generation, throughSequence: request.toSequence })
      case 'storeEpoch':
        return this.#await(tree.storeEpoch(request.epoch), { kind: 'epochStored', epoch: request.epoch })
      case 'readLog':
        return void this.#read(tree, request)
    }
  }

  async #read(tree: ReplicatedTree, { store, readId, afterSequence }: Extract<StorageRequest, { kind: 'readLog' }>): Promise<void> {
    const { give, readFailed } = this.#options
    let entries: readonly LogEntry[] | undefined = []
    try {
      entries = await tree.readAfter(afterSequence, readBytesMax)
    } catch (error) {
      readFailed(error)
    }
    give({ kind: 'entriesRead', store, readId, entries })
  }

  #await(working: Promise<void>, done: ReplicaEvent): void {
    const begun: Begun = { done, isDone: false }
    this.#begun.push(begun)
    working.then(() => {
      begun.isDone = true
      if (this.#isTelling) return
      this.#isTelling = true
      // Whatever one sync has made durable is told at once.
      queueMicrotask(() => this.#tell())
    }, this.#options.failed)
  }

  #tell(): void {
    this.#isTelling = false
    while (this.#begun[0]?.isDone === true) {
      const { done } = this.#begun.shift()!
      if (!isCovered(done, this.#begun[0])) this.#options.give(done)
    }
    this.#endHold()
  }

  #endHold(): void {
    if (this.#idle === undefined || this.#begun.length + this.#waiting.length > 0) return
    this.#isHeld = true
    this.#idle.resolve()
    this.#idle = undefined
  }
}

/** That the log is on disk up to a sequence is said by the next one that is done, too. */
function isCovered(done: ReplicaEvent, next: Begun | undefined): boolean {
  return done.kind === 'logged' && next?.isDone === true && next.done.kind === 'logged' && next.done.generation === done.generation
}
