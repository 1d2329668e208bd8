/** `db.snapshot()`: closed by its user, or with the database that owns it. */
import { AbstractSnapshot } from 'abstract-level'
import type { ReadSnapshot } from '../engine/keyed/read-snapshot.ts'
import { LsmtError } from '../errors.ts'

/** What its declarations leave out: the owner closes the snapshot. */
const OwnedSnapshot = AbstractSnapshot as new (options: object) => AbstractSnapshot

export class LevelSnapshot extends OwnedSnapshot {
  readonly view: ReadSnapshot

  constructor(options: object, view: ReadSnapshot) {
    super(options)
    this.view = view
  }

  async _close(): Promise<void> {
    this.view.release()
  }
}

/** The view of a snapshot given as an option. 22023 for one of another kind of database. */
export function viewOf(snapshot: AbstractSnapshot | null | undefined): ReadSnapshot | undefined {
  if (snapshot === undefined || snapshot === null) return undefined
  if (!(snapshot instanceof LevelSnapshot)) throw new LsmtError('22023', 'the snapshot is of another kind of database')
  return snapshot.view
}
