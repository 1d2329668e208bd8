/** A view of all shards that was begun before another one raised the cut is held to the cut that it was begun with. */
import { expect, it } from 'vitest'
import type { ShardSource } from '../../../src/cluster/engine/reads/consistent-snapshot.ts'
import { viewsAtLeast } from '../../../src/cluster/engine/reads/level-views.ts'
import type { Cut } from '../../../src/cluster/engine/reads/level-views.ts'
import type { PlacedSnapshot, TakenSnapshot } from '../../../src/cluster/engine/reads/placed-snapshot.ts'
import { createDeferred } from '../../../src/runtime/deferred.ts'

const shown = (sequence: number, partsAfter = 0): TakenSnapshot => ({ snapshot: { sequence, release() {} } as PlacedSnapshot, tablesSequence: 1, parts: [], partsAfter })

it('shows no statement half that settled while it was taken', async () => {
  const cut: Cut = { sequences: [40, 40], wanted: 1, taken: 1 }
  const slow = createDeferred()
  // A statement at 45 in both shards: the first replica shows it and lists it no more, the other one lags behind it.
  let lagging = 42
  const sources: readonly ShardSource[] = [
    { isHere: () => false, now: () => undefined, take: async () => shown(50, 45) },
    { isHere: () => false, now: () => undefined, take: async (minSequence) => {
      const sequence = Math.max(minSequence, lagging)
      await slow.promise
      return shown(sequence)
    } },
  ]
  const now = { now: () => [shown(60), shown(60)], take: () => Promise.reject(new Error('not asked')) }
  const first = viewsAtLeast({ sources, cut, now }).take()
  cut.sequences = [60, 60]
  slow.resolve()
  lagging = 61
  const view = await first
  expect(view[1]!.snapshot.sequence).toBeGreaterThanOrEqual(45)
})
