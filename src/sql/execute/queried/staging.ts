/** How rows beyond one batch become visible. */
import type { Engine, RecordingSession } from '../../../engine/engine.ts'

/** What makes rows visible is written through it: the engine, or a session that brings a record with it. */
export type VisibleWrites = Pick<RecordingSession, 'begin' | 'publishStaged'>

export interface Staging {
  readonly engine: Engine
  /** `rowCount` is asked when the rows are about to become visible: how many the statement tells. */
  visible(rowCount: () => number): VisibleWrites
}
