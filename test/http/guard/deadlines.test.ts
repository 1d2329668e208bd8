/** One timer for many: who is late is told once and in order, who was removed is not. */
import { expect, test } from 'vitest'
import { createDeadlines } from '../../../src/http/guard/deadlines.ts'
import { systemClock } from '../../../src/runtime/clock.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('each item has its own time, whatever was before it', async () => {
  const startMs = systemClock.monotonicMs()
  const late: string[] = []
  const waits: number[] = []
  const added = new Map<string, number>()
  const deadlines = createDeadlines<string>(systemClock, 60, (item) => {
    late.push(item)
    waits.push(systemClock.monotonicMs() - startMs - added.get(item)!)
  })
  const add = (item: string): void => {
    added.set(item, systemClock.monotonicMs() - startMs)
    deadlines.add(item)
  }
  add('removed')
  add('first')
  await sleep(30)
  deadlines.remove('removed')
  add('second')
  await sleep(120)
  deadlines.remove('first')
  add('third')
  expect(late).toEqual(['first', 'second'])
  await sleep(120)
  expect(late).toEqual(['first', 'second', 'third'])
  for (const waitedMs of waits) expect(waitedMs).toBeGreaterThanOrEqual(58)
})
