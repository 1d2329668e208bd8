/** A database in this process: SQL and access by key to the same rows, kept in ./data. */
import { LsmtError, open } from 'lsmt'

const db = await open({ dataDir: './data' })

await db.query('INSERT INTO kv VALUES ($1, $2), ($3, $4)', ['hello', 'world', 'answer', '42'])
const { columns, rows } = await db.query('SELECT value, length(value) AS characters FROM kv WHERE key = $1', ['hello'])
console.log(columns.map(({ name, type }) => `${name} ${type}`).join(', '))
console.log(rows)

// By key there is no SQL to parse; what is in memory is answered at once.
const kv = db.table('kv')
await kv.batch([{ put: { key: 'greeting', value: 'hei' } }, { delete: 'answer' }])
console.log(kv.getSync('greeting'), kv.getSync('answer'))
for await (const { key } of kv.scan({ gte: 'g', columns: ['key'] })) console.log(key)

// Errors have SQLSTATE codes.
try {
  await db.query('SELECT * FROM nowhere')
} catch (error) {
  if (error instanceof LsmtError) console.log(error.code, error.message)
}

await db.close()

// prints:
// value TEXT, characters INTEGER
// [ { value: 'world', characters: 5 } ]
// { key: 'greeting', value: 'hei' } undefined
// greeting
// hello
// 42P01 table "nowhere" does not exist
