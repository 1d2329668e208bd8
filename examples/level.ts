/** lsmt as a database of the Level family: sublevels, batches, iterators, snapshots; and SQL over the same entries. */
import { open } from 'lsmt'
import { LsmtLevel } from 'lsmt/level'

// `new LsmtLevel('./level-data')` opens a directory of its own; here it is a table of an open database.
const db = await open({ storage: 'memory' })
const level = new LsmtLevel(db, { table: 'entries' })

const users = level.sublevel<string, { name: string; visits: number }>('users', { valueEncoding: 'json' })
await users.batch([
  { type: 'put', key: 'ada', value: { name: 'Ada', visits: 3 } },
  { type: 'put', key: 'bob', value: { name: 'Bob', visits: 1 } },
])
await level.put('version', '1')

const before = level.snapshot()
await users.put('ada', { name: 'Ada', visits: 4 })
console.log((await users.get('ada'))?.visits, (await users.get('ada', { snapshot: before }))?.visits)
await before.close()

for await (const [key, { name }] of users.iterator({ reverse: true })) console.log(key, name)
console.log(level.getSync('version'), await level.keys().all())

const { rows } = await db.query("SELECT COUNT(*) AS n FROM entries WHERE key >= '!users!' AND key < '!users\"'")
console.log(rows)

await level.close()
await db.close()

// prints:
// 4 3
// bob Bob
// ada Ada
// 1 [ '!users!ada', '!users!bob', 'version' ]
// [ { n: 2 } ]
