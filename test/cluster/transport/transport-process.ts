/**
 * A node as a process of its own, for tests of what happens when it is stopped, killed or cut off:
 * `transport-process.ts NODE HOST:PORT OTHER=URL …`. It sends each other node a number every 20 ms, and prints, one JSON
 * object a line, where it listens, and which node it has begun or ceased to hear, by its connections.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTransport } from '../../../src/cluster/transport/transport.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { processSettings } from './process-settings.ts'
import { serveUpgrades } from './serve-upgrades.ts'

const [node, listenAt, ...others] = process.argv.slice(2) as [string, string, ...string[]]
const say = (fields: Readonly<Record<string, unknown>>): void => void process.stdout.write(`${JSON.stringify(fields)}\n`)
const received = new Map<string, number>()

const transport = createTransport({
  cluster: 'processes', node, secret: Buffer.from('a secret of the tests, long enough'), settings: processSettings, clock: systemClock, random: systemRandom,
  log: createLog('info', (line) => say({ log: (JSON.parse(line) as { msg: string }).msg })),
  onMessage: (from) => void received.set(from, (received.get(from) ?? 0) + 1),
  requests: { echo: async (body) => body },
  streams: {
    async *bytes(body) {
      const piece = Buffer.alloc(64 * 1024)
      for (let rest = Number(Buffer.from(body).toString()); rest > 0; rest -= piece.length) yield piece.subarray(0, rest)
    },
  },
})
const server = serveUpgrades(createServer(), transport)
const { hostname, port } = new URL(`http://${listenAt}`)
server.listen(Number(port), hostname, () => {
  say({ port: (server.address() as AddressInfo).port })
  transport.setPeers(new Map(others.map((other) => other.split('=') as [string, string])))
})

const connected = new Map<string, boolean>()
setInterval(() => {
  for (const { node: other, isConnected } of transport.stats().to) {
    transport.send(other, [Buffer.from('tick')])
    if ((connected.get(other) ?? false) !== isConnected) say({ node: other, isConnected })
    connected.set(other, isConnected)
  }
}, 20)

// `echo NODE`, `bytes NODE COUNT`, `received`: what came of it is printed.
process.stdin.on('data', (line: Buffer) => void answer(line.toString().trim().split(' ') as [string, string, string]))

async function answer([what, other, count]: [string, string, string]): Promise<void> {
  const beganAtMs = performance.now()
  try {
    if (what === 'echo') await transport.request(other, 'echo', [Buffer.from('x')], { timeoutMs: 15_000 })
    else if (what === 'bytes') for await (const _ of transport.stream(other, 'bytes', [Buffer.from(count)]));
    say({ done: what, ms: performance.now() - beganAtMs, received: Object.fromEntries(received) })
  } catch (error) {
    say({ done: what, ms: performance.now() - beganAtMs, code: (error as { code: string }).code })
  }
}
process.stdin.on('end', () => process.exit())
