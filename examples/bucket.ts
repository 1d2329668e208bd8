/** A database whose only home is a bucket: BUCKET names it, S3_ENDPOINT a store other than AWS; keys and region as the AWS tools find them. */
import { open } from 'lsmt'
import type { OpenOptions } from 'lsmt'

const { BUCKET: bucket = 'my-bucket', S3_ENDPOINT: endpoint } = process.env
const place: OpenOptions = { storage: 's3', bucket, prefix: `examples/${Date.now()}`, ...(endpoint !== undefined && { endpoint }) }

const db = await open({ ...place, shards: 2 })
await db.query('CREATE TABLE trips (id BIGINT PRIMARY KEY, city TEXT NOT NULL)')
// Answered when it is in the bucket: what this machine has may be lost from here on.
await db.query("INSERT INTO trips VALUES (1, 'Oslo'), (2, 'Bergen')")

await db.close()

// Here or on any other machine: whoever opens it is its writer from then on.
const elsewhere = await open({ ...place, createIfMissing: false })
console.log((await elsewhere.query('SELECT id, city FROM trips ORDER BY id')).rows)
const { shards } = elsewhere.stats()
console.log(shards.length, 'shards')
await elsewhere.close()

// prints:
// [ { id: 1, city: 'Oslo' }, { id: 2, city: 'Bergen' } ]
// 2 shards
