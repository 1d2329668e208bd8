/** Nodes in this process, each a transport behind an HTTP server on loopback. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach } from 'vitest'
import { defaultTransportSettings } from '../../../src/cluster/transport/settings.ts'
import type { TransportSettings } from '../../../src/cluster/transport/settings.ts'
import { createTransport } from '../../../src/cluster/transport/transport.ts'
import type { Transport, TransportOptions } from '../../../src/cluster/transport/transport.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { until } from '../../until.ts'
import { serveUpgrades } from './serve-upgrades.ts'

export const secret = Buffer.from('a secret of the tests, long enough')

/** Nobody is given up for what a busy machine keeps waiting: not what these tests are about, but for those that say so. */
export const patientSettings: TransportSettings = { ...defaultTransportSettings, silentMsMax: 20_000, connectMsMax: 20_000, handshakeMsMax: 20_000 }

export interface TestNode {
  readonly name: string
  readonly url: string
  readonly transport: Transport
  /** `warn` and `info` lines of the log. */
  readonly lines: string[]
  /** What came one way, as `from text`. */
  readonly messages: string[]
  /** Sockets of the server that are open. */
  readonly sockets: ReadonlySet<Socket>
}

export interface TestNodeOptions extends Partial<Omit<TransportOptions, 'settings'>> {
  readonly settings?: Partial<TransportSettings>
  /** Of its server, which speaks TLS then. PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** Ended after the test. */
export async function startNode(name: string, { settings, certificate, ...options }: TestNodeOptions = {}): Promise<TestNode> {
  const lines: string[] = [], messages: string[] = []
  const transport = createTransport({
    cluster: 'test', node: name, secret, clock: systemClock, random: systemRandom, settings: { ...patientSettings, ...settings },
    log: createLog('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg)),
    onMessage: (from, body) => void messages.push(`${from} ${Buffer.from(body).toString()}`),
    requests: { echo: async (body) => Buffer.from(body) },
    streams: {},
    ...options,
  })
  const server = certificate === undefined ? createServer() : createTlsServer(certificate)
  const { port, sockets } = await listen(serveUpgrades(server, transport))
  ends.push(async () => {
    await transport.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  return { name, url, transport, lines, messages, sockets }
}

export async function listen(server: Server): Promise<{ readonly port: number; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, sockets }
}

/** Tells each node where all are, and waits until all are connected. */
export async function connectAll(...nodes: readonly TestNode[]): Promise<void> {
  const urls = new Map(nodes.map(({ name, url }) => [name, url]))
  for (const { transport } of nodes) transport.setPeers(urls)
  await until(() => nodes.every(({ transport }) => transport.stats().to.every(({ isConnected }) => isConnected)))
}

/** Cuts all connections that come to `to`, and waits until `from` has another one there: until then it may not have heard of it. */
export async function reconnected(from: TestNode, to: TestNode): Promise<void> {
  const connections = (): number => from.transport.stats().to.find(({ node }) => node === to.name)!.connections
  const before = connections()
  for (const socket of to.sockets) socket.destroy()
  await until(() => connections() > before)
}

export const text = (value: string): readonly Uint8Array[] => [Buffer.from(value)]

export async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return await outcome.then(() => 'none', (error: unknown) => (error as { code: string }).code)
}
