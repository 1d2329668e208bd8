/**
 * What a replica asks of its disk, in the order in which it was asked, and what came of it in that order too. Appends wait
 * while the tree asks writers to wait; all else waits behind them.
 */
import type { ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import type { ReplicaEvent } from '../replication/event.ts'
import type { LogEntry } from '../replication/state/log-state.ts'
import { createDeferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/deferred.ts'

interface StorageRequest {
  /** Of batches that are to be admitted. */
  readonly byteLength: number
  begin(tree: ReplicatedTree): Promise<unknown>
  /** undefined: it tells of itself. */
  readonly done: ReplicaEvent | undefined
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
  readonly #begun: StorageRequest[] = []
  #isTelling = false
  #isAdmitting = false
  #isHeld = false
  #idle: Deferred | undefined

  constructor(options: StorageQueueOptions) {
    this.#options = options
  }

  append(generation: number, entries: readonly LogEntry[]): void {
    const byteLength = entries.reduce((sum, { batch }) => sum + batch.byteLength, 0)
    this.#add(byteLength, (tree) => tree.append(entries), { kind: 'logged', generation, throughSequence: entries.at(-1)!.lastSequence })
  }

  truncate(generation: number, toSequence: number): void {
    this.#add(0, (tree) => tree.truncate(toSequence), { kind: 'logged', generation, throughSequence: toSequence })
  }

  storeEpoch(epoch: number): void {
    this.#add(0, (tree) => tree.storeEpoch(epoch), { kind: 'epochStored', epoch })
  }

  /** Behind the appends before it, which it is to see; but nothing waits for it. */
  readLog(store: string, readId: number, afterSequence: number): void {
    const { give, readFailed } = this.#options
    this.#add(0, (tree) => {
      tree.readAfter(afterSequence, readBytesMax).then(
        (entries) => give({ kind: 'entriesRead', store, readId, entries }),
        (error: unknown) => {
          readFailed(error)
          give({ kind: 'entriesRead', store, readId, entries: [] })
        },
      )
      return Promise.resolve()
    }, undefined)
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

  #add(byteLength: number, begin: StorageRequest['begin'], done: ReplicaEvent | undefined): void {
    this.#waiting.push({ byteLength, begin, done, isDone: false })
    this.#pump()
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#isAdmitting && !this.#isHeld) {
      const { byteLength } = this.#waiting[0]!
      const admitted = byteLength > 0 ? this.#options.tree().tree.admit(byteLength) : undefined
      if (admitted === undefined) this.#begin(this.#waiting.shift()!)
      else void this.#beginAfter(admitted)
    }
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
    const { tree, failed } = this.#options
    this.#begun.push(request)
    request.begin(tree()).then(() => {
      request.isDone = true
      if (this.#isTelling) return
      this.#isTelling = true
      // Whatever one sync has made durable is told at once.
      queueMicrotask(() => this.#tell())
    }, failed)
  }

  #tell(): void {
    this.#isTelling = false
    while (this.#begun[0]?.isDone === true) {
      const { done } = this.#begun.shift()!
      if (done !== undefined && !isCovered(done, this.#begun[0])) this.#options.give(done)
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
function isCovered(done: ReplicaEvent, next: StorageRequest | undefined): boolean {
  return done.kind === 'logged' && next?.isDone === true && next.done?.kind === 'logged' && next.done.generation === done.generation
}
