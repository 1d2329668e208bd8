/**
 * An ordered scan opens the cursors of all shards at once. When one failed (a division by zero in its first page, a failed
 * read, a cancellation), all were closed at once, those in the middle of a read too: that read then went on in memory that
 * was free, and whatever had it next was overwritten.
 */
import { expect, it } from 'vitest'
import type { Shards } from '../../src/engine/shards/shards.ts'
import { scanShards } from '../../src/engine/read/scan.ts'
import { tableAccess } from '../../src/engine/tables/table-access.ts'
import { tableSchema } from '../../src/engine/tables/new-table.ts'
import { LsmtError } from '../../src/errors.ts'
import type { ScanCursor } from '../../src/lsm/tree.ts'
import { systemTurns } from '../../src/runtime/pace.ts'
import { newTable } from '../engine/engine-fixtures.ts'

it('closes no cursor before its read has ended', async () => {
  const events: string[] = []
  const cursor = (name: string, read: () => Promise<undefined>): ScanCursor => ({ next: read, close: () => void events.push(`${name} closed`) })
  const failing = cursor('failing', () => Promise.reject(new LsmtError('22012', 'division by zero')))
  const slow = cursor('slow', async () => {
    await systemTurns.next()
    events.push('slow read')
    return undefined
  })
  const trees = [failing, slow].map((each) => ({ scan: () => each }))
  const shards = { trees, turns: systemTurns, assertOpen() {}, kernel: { memory: {} } } as unknown as Shards
  const access = tableAccess(tableSchema(newTable('t', { id: 'bigint' }, ['id']), 20))
  const rows = scanShards(shards, [{ sequence: 0, release() {} }, { sequence: 0, release() {} }], access, { table: access.schema, ordered: true, columns: [0], predicate: [] })
  await expect(rows.next()).rejects.toMatchObject({ code: '22012' })
  expect(events).toEqual(['slow read', 'failing closed', 'slow closed'])
})
