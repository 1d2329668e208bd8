/** What is told of a snapshot is of its moment. */
import { expect, it } from 'vitest'
import type { FragmentHost } from '../../../src/cluster/fragments/server/fragment-host.ts'
import { takeSnapshot } from '../../../src/cluster/fragments/server/open-view.ts'
import type { QuestionContext } from '../../../src/cluster/transport/call/services.ts'
import type { Snapshot, Tree } from '../../../src/lsm/tree.ts'

it('tells no part that is seen a turn later, and all that were seen by then', async () => {
  const now = { tablesSequence: 1, partsAfter: 0, parts: [{ baseSequence: 7, participants: [] }] }
  const snapshot = { sequence: 7 } as Snapshot
  const later = (): void => void Object.assign(now, { tablesSequence: 8, partsAfter: 7, parts: [{ baseSequence: 8, participants: [] }] })
  const tree = { snapshot: () => { queueMicrotask(later); return snapshot } } as Pick<Tree, 'snapshot'> as Tree
  const replicated = { get tablesSequence() { return now.tablesSequence }, get partsAfter() { return now.partsAfter }, visibleParts: () => now.parts }
  const host = { assertOpen: () => {}, clock: { monotonicMs: () => 0 }, replica: () => ({ tree, replicated, read: async () => ({ deadlineMs: 1 }) }) } as Partial<FragmentHost> as FragmentHost
  const taken = await takeSnapshot(host, { signal: new AbortController().signal } as QuestionContext, 0, { kind: 'lease' }, 0)
  expect(now.parts[0]!.baseSequence).toBe(8)
  expect(taken.told).toEqual({ sequence: 7, tablesSequence: 1, partsAfter: 0, parts: [{ baseSequence: 7, participants: [] }] })
})
