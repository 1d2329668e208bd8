/** The other node of the bench, a process: a transport, and beside it bare sockets that take and give bytes. Prints where they listen. */
import { createServer } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { serveUpgrades } from '../../test/cluster/transport/serve-upgrades.ts'
import { benchTransport } from './bench-transport.ts'

let messages = 0
const piece = Buffer.alloc(64 * 1024)

const transport = benchTransport('far', {
  onMessage: () => void messages++,
  requests: {
    echo: async (body) => body,
    async received(body) {
      const count = Number(Buffer.from(body).toString())
      while (messages < count) await new Promise((resolve) => setImmediate(resolve))
      messages = 0
      return Buffer.alloc(0)
    },
  },
  streams: {
    async *bytes(body) {
      for (let rest = Number(Buffer.from(body).toString()); rest > 0; rest -= piece.length) yield piece.subarray(0, rest)
    },
  },
})
const node = serveUpgrades(createServer(), transport)
/** Takes as many bytes as the first eight say, then answers one. */
const sink = createSocketServer((socket) => {
  let rest = 0
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    rest = rest === 0 ? Number(chunk.readBigUInt64LE(0)) + 8 - chunk.length : rest - chunk.length
    if (rest === 0) socket.write('.')
  })
})
/** Gives as many bytes as it is asked for in eight. */
const source = createSocketServer((socket) => socket.once('data', (chunk) => {
  let rest = Number(chunk.readBigUInt64LE(0))
  const give = (): void => {
    while (rest > 0) {
      const bytes = piece.subarray(0, rest)
      rest -= bytes.length
      if (!socket.write(bytes)) {
        socket.once('drain', give)
        return
      }
    }
  }
  give()
}))

const listening = (server: Server): Promise<number> => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
process.stdout.write(`${JSON.stringify({ node: await listening(node), sink: await listening(sink), source: await listening(source) })}\n`)
process.stdin.on('end', () => process.exit()).resume()
