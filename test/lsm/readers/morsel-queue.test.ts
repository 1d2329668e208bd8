import { expect, test } from 'vitest'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { awaitMorsel, clearQueue, endQueue, finishMorsel, isMorselDone, morselsMax, publishMorsels, queueBytes, readMorsel, takeMorsel, untakenMorsels, viewQueue, writeMorsel, writeMorselColumn } from '../../../src/lsm/readers/morsel-queue.ts'
import type { MorselQueue } from '../../../src/lsm/readers/morsel-queue.ts'

const noZones = { rowGroup: 0, rowGroupCount: 0, liveRowCounts: 0 }

function openQueue(chunkCount: number): MorselQueue {
  const memory = reserveLinearMemory(1 << 20)
  memory.u8.fill(0xff, 1024, 1024 + queueBytes(chunkCount))
  const queue = viewQueue(memory, 1024, chunkCount)
  clearQueue(queue)
  return queue
}

test('gives morsels out once each, in order, only after they were published', () => {
  const queue = openQueue(2)
  writeMorsel(queue, 0, { rowCount: 100, mustFilter: true, standing: undefined, rowGroup: 3, rowGroupCount: 5, liveRowCounts: 640 })
  writeMorselColumn(queue, 0, 1, 4096, 8192)
  writeMorsel(queue, 1, { rowCount: 7, mustFilter: false, standing: undefined, ...noZones })
  expect(takeMorsel(queue)).toBe(-1)
  publishMorsels(queue, 2)
  expect(untakenMorsels(queue)).toBe(2)
  expect(takeMorsel(queue)).toBe(0)
  const first = readMorsel(queue, 0)
  expect([first.rowCount, first.mustFilter, first.chunk(0), first.chunk(1)]).toEqual([100, true, 0, 4096])
  expect([first.rowGroup, first.rowGroupCount, first.liveRowCounts, first.zoneMap(0), first.zoneMap(1)]).toEqual([3, 5, 640, 0, 8192])
  expect([takeMorsel(queue), takeMorsel(queue)]).toEqual([1, -1])
  finishMorsel(queue, 1)
  expect([isMorselDone(queue, 0), isMorselDone(queue, 1)]).toEqual([false, true])
})

test('its ring goes round', () => {
  const queue = openQueue(1)
  for (let morsel = 0; morsel < 3 * morselsMax; morsel++) {
    writeMorsel(queue, morsel, { rowCount: morsel + 1, mustFilter: false, standing: undefined, ...noZones })
    writeMorselColumn(queue, morsel, 0, 16 * morsel, 0)
    publishMorsels(queue, morsel + 1)
    expect(isMorselDone(queue, morsel)).toBe(false)
    expect(awaitMorsel(queue)).toBe(morsel)
    expect(readMorsel(queue, morsel).chunk(0)).toBe(16 * morsel)
    finishMorsel(queue, morsel)
  }
})

test('a reader that finds nothing learns that all is done, and one that is stopped takes nothing more', () => {
  const queue = openQueue(0)
  writeMorsel(queue, 0, { rowCount: 1, mustFilter: false, standing: undefined, ...noZones })
  publishMorsels(queue, 1)
  endQueue(queue, 'complete')
  expect([awaitMorsel(queue), awaitMorsel(queue)]).toEqual([0, 'complete'])
  writeMorsel(queue, 1, { rowCount: 1, mustFilter: false, standing: undefined, ...noZones })
  publishMorsels(queue, 2)
  endQueue(queue, 'stopped')
  expect(awaitMorsel(queue)).toBe('stopped')
  expect(untakenMorsels(queue)).toBe(1)
})
