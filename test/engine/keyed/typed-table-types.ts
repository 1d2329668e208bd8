/** What the compiler knows of defined tables: checked by `npm run types`, and over the declarations that the package ships; never run. */
import { defineTable } from '../../../src/lsmt.ts'
import type { Database, KeyOf, NewRowOf, RowOf } from '../../../src/lsmt.ts'

const trips = defineTable('trips', { id: 'bigint', city: 'text', fare: 'numeric(8,2)?', paid: 'boolean' }, { key: 'id' })
const visits = defineTable('visits', { city: 'varchar(20)', day: 'date', count: 'integer', photo: 'bytea?' }, { key: ['city', 'day'] })

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(): T | undefined => undefined

holds<Same<RowOf<typeof trips>, { readonly id: number | bigint; readonly city: string; readonly fare: string | null; readonly paid: boolean }>>()
holds<Same<KeyOf<typeof trips>, number | bigint>>()
holds<Same<KeyOf<typeof visits>, readonly [string, string]>>()

const complete: NewRowOf<typeof trips> = { id: 1n, city: 'Oslo', paid: true }
// @ts-expect-error -- city and paid are missing
const incomplete: NewRowOf<typeof trips> = { id: 1 }

export async function uses(db: Database): Promise<unknown> {
  const table = db.table(trips)
  await table.put({ ...complete, fare: 12.5 })
  await table.put({ ...complete, fare: null })
  // @ts-expect-error -- no such column
  await table.put({ ...complete, tip: 1 })
  // @ts-expect-error -- no boolean
  await table.put({ ...complete, paid: 'yes' })
  // @ts-expect-error -- a key of numbers
  await table.get('1')
  const row = await table.get(1)
  const fare: string | null | undefined = row?.fare
  // @ts-expect-error -- may be null
  const certain: string | undefined = row?.fare
  const part = table.getSync(1, { columns: ['city'] })
  // @ts-expect-error -- was not asked for
  const notAsked = part?.fare
  // @ts-expect-error -- no such column
  table.scan({ columns: ['nothing'] })

  const byDay = await db.createTable(visits, { ifNotExists: true })
  await byDay.delete(['Oslo', '2026-01-01'])
  // @ts-expect-error -- a key has all its columns
  await byDay.get(['Oslo'])
  byDay.scan({ gte: ['Oslo'], lt: ['Oslo', '2026-02-01'] })
  // @ts-expect-error -- a bound has the key's types
  byDay.scan({ gte: [1] })
  for await (const { count, photo } of byDay.scan()) holds<Same<[typeof count, typeof photo], [number, Uint8Array | null]>>()

  // @ts-expect-error -- a key cannot be null
  defineTable('t', { id: 'bigint?' }, { key: 'id' })
  // @ts-expect-error -- a key is made of columns
  defineTable('t', { id: 'bigint' }, { key: 'name' })
  // @ts-expect-error -- no type
  defineTable('t', { id: 'int8' }, { key: 'id' })

  const untyped = await db.table('kv').get('a')
  return [fare, certain, notAsked, incomplete, untyped?.['value']]
}
