/** Bulk import: lines of a file of any size, by column and in statements of ten thousand, with what is wrong reported by line. */
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { defineTable, open } from 'lsmt'

const file = './measurements.csv'
await writeFile(file, Array.from({ length: 25_000 }, (_, i) => `${i},${i % 7 === 6 ? 'sensor b' : 'sensor a'},${i === 12_345 ? 'broken' : (i * 0.25).toFixed(2)}`).join('\n'))

const measurements = defineTable('measurements', { id: 'integer', sensor: 'text', value: 'double' }, { key: 'id' })
const db = await open({ dataDir: './import-data' })
const table = await db.createTable(measurements, { ifNotExists: true })

const batchRows = 10_000
let ids: number[] = [], sensors: string[] = [], values: number[] = []

async function writeBatch(): Promise<void> {
  if (ids.length === 0) return
  await table.putColumns({ id: Int32Array.from(ids), sensor: sensors, value: Float64Array.from(values) })
  ;[ids, sensors, values] = [[], [], []]
}

let lineNumber = 0
for await (const line of createInterface({ input: createReadStream(file) })) {
  lineNumber++
  const [id, sensor, value] = line.split(',')
  if (id === undefined || sensor === undefined || value === undefined || !Number.isFinite(Number(value))) {
    console.log(`line ${lineNumber} is no measurement: ${line}`)
    continue
  }
  ids.push(Number(id))
  sensors.push(sensor)
  values.push(Number(value))
  if (ids.length === batchRows) await writeBatch()
}
await writeBatch()

const { rows } = await db.query('SELECT sensor, COUNT(*) AS n, MAX(value) AS highest FROM measurements GROUP BY sensor ORDER BY sensor')
console.log(rows)
await db.close()

// prints:
// line 12346 is no measurement: 12345,sensor a,broken
// [
//   { sensor: 'sensor a', n: 21428, highest: 6249.75 },
//   { sensor: 'sensor b', n: 3571, highest: 6249 }
// ]
