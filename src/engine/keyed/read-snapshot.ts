/**
 * A snapshot in users' hands: they may release it while reads of it are under way, so it is let go of with the last of
 * these. A forgotten one keeps the memtables and files that it sees.
 */
import { LsmtError } from '../../errors.ts'
import type { Engine, EngineSnapshot } from '../engine.ts'

export class ReadSnapshot {
  readonly #engine: Pick<Engine, 'snapshot'>
  readonly #below: EngineSnapshot
  #readers = 0
  #isReleased = false

  /** Takes the state of this moment. 55000 when the database is closed. */
  constructor(engine: Pick<Engine, 'snapshot'>) {
    this.#engine = engine
    this.#below = engine.snapshot()
  }

  /** Reads that begin after it are 55000; those under way go on. Safe to call again. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    if (this.#readers === 0) this.#below.release()
  }

  /** What to read, until `endRead`. 22023 for a snapshot of another database, 55000 when it was released. */
  static beginRead(snapshot: ReadSnapshot, engine: Pick<Engine, 'snapshot'>): EngineSnapshot {
    if (!(snapshot instanceof ReadSnapshot)) throw new LsmtError('22023', 'the snapshot is none that snapshot() gave')
    if (snapshot.#engine !== engine) throw new LsmtError('22023', 'the snapshot is of another database')
    if (snapshot.#isReleased) throw new LsmtError('55000', 'the snapshot was released')
    snapshot.#readers++
    return snapshot.#below
  }

  static endRead(snapshot: ReadSnapshot): void {
    snapshot.#readers--
    if (snapshot.#isReleased && snapshot.#readers === 0) snapshot.#below.release()
  }
}

/** Keeps the snapshot until the row is there. */
export function readWithin<T>(engine: Pick<Engine, 'snapshot'>, snapshot: ReadSnapshot, read: (below: EngineSnapshot) => T | Promise<T>): T | Promise<T> {
  const below = ReadSnapshot.beginRead(snapshot, engine)
  let found: T | Promise<T> | undefined
  try {
    found = read(below)
    return found instanceof Promise ? found.finally(() => ReadSnapshot.endRead(snapshot)) : found
  } finally {
    if (!(found instanceof Promise)) ReadSnapshot.endRead(snapshot)
  }
}
