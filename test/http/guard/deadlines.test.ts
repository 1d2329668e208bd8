/** One timer for many: who is late is told once and in order, who was removed is not. */
import { expect, test } from 'vitest'
import { createDeadlines } from '../../../src/http/guard/deadlines.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { until } from '../../until.ts'

const timeMs = 60

test('each item has its own time, whatever was before it', async () => {
  const startMs = systemClock.monotonicMs()
  const late: string[] = []
  const waits: number[] = []
  const added = new Map<string, number>()
  const deadlines = createDeadlines<string>(systemClock, timeMs, (item) => {
    late.push(item)
    waits.push(systemClock.monotonicMs() - startMs - added.get(item)!)
  })
  const add = (item: string): void => {
    added.set(item, systemClock.monotonicMs() - startMs)
    deadlines.add(item)
  }
  add('removed')
  add('first')
  deadlines.remove('removed')
  await new Promise((resolve) => setTimeout(resolve, timeMs / 2))
  add('second')
  await until(() => late.length === 2)
  deadlines.remove('first')
  add('third')
  expect(late).toEqual(['first', 'second'])
  await until(() => late.length === 3)
  expect(late).toEqual(['first', 'second', 'third'])
  for (const waitedMs of waits) expect(waitedMs).toBeGreaterThanOrEqual(timeMs - 2)
})
