/** Those who wait for a change: all are woken, and however many they are, Node takes none of them for a leak. */
import { expect, test } from 'vitest'
import { createChanges } from '../../../src/cluster/engine/serve/changes.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'

test('many may wait for the next change', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const changes = createChanges(systemAlarms)
  for (const round of [1, 2]) {
    const waiting = Array.from({ length: 30 * round }, () => changes.next(60_000))
    changes.tell()
    await Promise.all(waiting)
  }
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
  const last = changes.next(60_000)
  changes.close()
  await last
  await expect(changes.next(60_000)).rejects.toMatchObject({ code: '57P03' })
})
