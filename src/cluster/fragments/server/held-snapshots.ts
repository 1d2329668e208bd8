/**
 * Snapshots that other nodes have taken here. Each belongs to the connection over which it was asked for: nobody else
 * reads it, and it is let go of when that ends, or when nothing was asked of it for long.
 */
import { LsmtError } from '../../../errors.ts'
import type { Overlay, Snapshot, Tree } from '../../../lsm/tree.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { QuestionContext } from '../../transport/call/services.ts'
import { violation } from '../../transport/frame/frame.ts'

export interface HeldSnapshot {
  readonly shard: number
  readonly tree: Tree
  readonly snapshot: Snapshot
  /** Of what a transaction has written above another snapshot. */
  readonly overlay: HeldOverlay | undefined
}

export interface HeldOverlay {
  readonly overlay: Overlay
  batchCount: number
  /** Why it has not all that it should have; nothing is read of it any more. */
  failure: LsmtError | undefined
}

/** Longer than any pause of a statement whose client still reads; beyond it a message that let go was lost. */
export const idleMsMax = 10 * 60_000
const ofConnectionMax = 10_000

interface Kept {
  readonly held: HeldSnapshot
  /** Questions that read it: it stays for them, whoever lets go of it meanwhile. */
  users: number
  usedAtMs: number
  isLetGo: boolean
}

export class HeldSnapshots {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #byConnection = new Map<AbortSignal, Map<number, Kept>>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Takes it over, and lets go of it when it cannot be held: 08P01 for an id in use, 53300 for too many, the reason when the connection is gone. */
  hold({ connection, from }: QuestionContext, id: number, held: HeldSnapshot): void {
    const refusal = refusalOf(connection, from, this.#byConnection.get(connection), id)
    if (refusal !== undefined) {
      held.snapshot.release()
      throw refusal
    }
    this.#of(connection).set(id, { held, users: 0, usedAtMs: this.#clock.monotonicMs(), isLetGo: false })
  }

  /** 40001 when there is none of the id. It stays until `done` was called. */
  use({ connection }: QuestionContext, id: number): { readonly held: HeldSnapshot; readonly done: () => void } {
    const kept = this.#byConnection.get(connection)?.get(id)
    if (kept === undefined) throw new LsmtError('40001', `snapshot ${id} is not there any more: its connection was lost, or it was not used for ${idleMsMax / 60_000} minutes`, { hint: 'run the statement, or the transaction, again' })
    kept.users++
    return {
      held: kept.held,
      done: () => {
        kept.users--
        kept.usedAtMs = this.#clock.monotonicMs()
        if (kept.isLetGo && kept.users === 0) kept.held.snapshot.release()
      },
    }
  }

  /** Of what is not there nothing is to be done. */
  release({ connection }: QuestionContext, ids: readonly number[]): void {
    const kept = this.#byConnection.get(connection)
    for (const id of ids) if (kept !== undefined) letGo(kept, id)
  }

  /** Lets go of those that nobody has used for long; to be called now and then. */
  releaseIdle(): void {
    const beforeMs = this.#clock.monotonicMs() - idleMsMax
    for (const kept of this.#byConnection.values()) {
      for (const [id, { users, usedAtMs }] of kept) if (users === 0 && usedAtMs <= beforeMs) letGo(kept, id)
    }
  }

  get count(): number {
    let count = 0
    for (const kept of this.#byConnection.values()) count += kept.size
    return count
  }

  close(): void {
    for (const connection of this.#byConnection.keys()) this.#releaseAll(connection)
  }

  #of(connection: AbortSignal): Map<number, Kept> {
    const known = this.#byConnection.get(connection)
    if (known !== undefined) return known
    const kept = new Map<number, Kept>()
    this.#byConnection.set(connection, kept)
    connection.addEventListener('abort', () => this.#releaseAll(connection), { once: true })
    return kept
  }

  #releaseAll(connection: AbortSignal): void {
    const kept = this.#byConnection.get(connection)
    for (const id of kept?.keys() ?? []) letGo(kept!, id)
    this.#byConnection.delete(connection)
  }
}

function letGo(snapshots: Map<number, Kept>, id: number): void {
  const kept = snapshots.get(id)
  if (kept === undefined) return
  snapshots.delete(id)
  kept.isLetGo = true
  if (kept.users === 0) kept.held.snapshot.release()
}

function refusalOf(connection: AbortSignal, from: string, kept: ReadonlyMap<number, Kept> | undefined, id: number): LsmtError | undefined {
  if (connection.aborted) return connection.reason as LsmtError
  if (kept?.has(id) === true) return violation(`${from} uses the id ${id} for two snapshots`)
  if ((kept?.size ?? 0) >= ofConnectionMax) return new LsmtError('53300', `${from} holds ${ofConnectionMax} snapshots here`)
  return undefined
}
