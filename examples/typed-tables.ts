/** Tables given in TypeScript: the compiler knows their rows and keys, and what is stored is compared when they are opened. */
import { defineTable, open, type NewRowOf } from 'lsmt'

const readings = defineTable(
  'readings',
  { sensor: 'text', at: 'timestamp', celsius: 'numeric(5,2)', note: 'text?' },
  { key: ['sensor', 'at'], onInsert: 'upsert' },
)

const db = await open({ storage: 'memory' })
const table = await db.createTable(readings, { ifNotExists: true })

const first: NewRowOf<typeof readings> = { sensor: 'roof', at: '2026-01-05T10:00:00Z', celsius: -3.5 }
await table.put(first)
await table.put({ sensor: 'roof', at: '2026-01-05T11:00:00Z', celsius: '-2.25', note: 'sun' })
await table.put({ sensor: 'cellar', at: '2026-01-05T10:00:00Z', celsius: 12 })

console.log(table.getSync(['roof', '2026-01-05T10:00:00Z']))
// A bound may be the beginning of a key.
for await (const { at, celsius } of table.scan({ gte: ['roof'], columns: ['at', 'celsius'] })) console.log(at, celsius)

// A snapshot stays as it was.
const snapshot = db.snapshot()
await table.deleteRange({ gte: ['roof'], lte: ['roof'] })
const key = ['roof', '2026-01-05T11:00:00Z'] as const
console.log(table.getSync(key)?.note, table.getSync(key, { snapshot })?.note)
snapshot.release()

await db.close()

// prints:
// {
//   sensor: 'roof',
//   at: '2026-01-05T10:00:00Z',
//   celsius: '-3.50',
//   note: null
// }
// 2026-01-05T10:00:00Z -3.50
// 2026-01-05T11:00:00Z -2.25
// undefined sun
