/** What an empty express route does: reads each body as text and answers with the same bytes, those given as argument. Prints its port. */
import type { AddressInfo } from 'node:net'
import express from 'express'

const answer = process.argv[2]!
const app = express()
app.post('/query', express.text({ type: () => true }), (_, response) => {
  response.type('application/json').send(answer)
})
const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
process.on('SIGTERM', () => process.exit(0))
