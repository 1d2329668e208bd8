/** Analytics over fresh rows: two hundred thousand of them by column, then groups, a ranking, and a stream of all. */
import { open } from 'lsmt'

const rowCount = 200_000
const batchRows = 50_000
const cities = ['Bergen', 'Oslo', 'Tromsø', 'Trondheim']

const db = await open({ storage: 'memory' })
await db.query('CREATE TABLE trips (id BIGINT PRIMARY KEY, city TEXT NOT NULL, day DATE NOT NULL, fare NUMERIC(8,2), km DOUBLE PRECISION)')

// Typed arrays are the fastest way in. The numbers follow from the id, so that every run gives the same ones.
for (let from = 0; from < rowCount; from += batchRows) {
  const ids = Int32Array.from({ length: batchRows }, (_, i) => from + i)
  await db.table('trips').putColumns({
    id: ids,
    city: Array.from(ids, (id) => cities[id % 4]!),
    day: Array.from(ids, (id) => `2026-0${1 + (id % 3)}-15`),
    fare: ids.map((id) => 50 + (id % 100)),
    km: Float64Array.from(ids, (id) => (id % 40) / 4),
  })
}

const byCity = await db.query('SELECT city, COUNT(*) AS trips, SUM(fare) AS fares, MAX(km) AS longest FROM trips GROUP BY city ORDER BY fares DESC, city')
for (const { city, trips, fares, longest } of byCity.rows) console.log(city, trips, fares, longest)

const best = await db.query("SELECT date_trunc('month', day) AS month, AVG(fare) AS fare FROM trips WHERE city = $1 AND km BETWEEN 2 AND 5 GROUP BY 1 ORDER BY 1", ['Oslo'])
for (const { month, fare } of best.rows) console.log(month, Number(fare).toFixed(2))

let kilometers = 0
for await (const { km } of db.stream('SELECT km FROM trips WHERE id >= $1', [100_000])) kilometers += km as number
console.log(kilometers)

await db.close()

// prints:
// Trondheim 50000 5050000.00 9.75
// Tromsø 50000 5000000.00 9.5
// Oslo 50000 4950000.00 9.25
// Bergen 50000 4900000.00 9
// 2026-01-01T00:00:00Z 103.00
// 2026-02-01T00:00:00Z 103.00
// 2026-03-01T00:00:00Z 103.00
// 487500
