/** Whoever comes to the port: strangers, the wrong nodes, and nodes that have proved who they are and then break the rules. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { upgradeRequest } from '../../../src/cluster/transport/dial/upgrade.ts'
import { encodeFrame, violation } from '../../../src/cluster/transport/frame/frame.ts'
import type { FrameKind } from '../../../src/cluster/transport/frame/frame.ts'
import { createFrameReader } from '../../../src/cluster/transport/frame/frame-reader.ts'
import { dialerHandshake } from '../../../src/cluster/transport/handshake/handshake.ts'
import { proofKey } from '../../../src/cluster/transport/handshake/proof.ts'
import { connectAll, listen, secret, startNode } from './test-node.ts'
import { until } from '../../until.ts'
import type { TestNode } from './test-node.ts'

async function raw(node: TestNode): Promise<Socket> {
  const { hostname, port, host } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(upgradeRequest(host))
  const [head] = await once(socket, 'data') as [Buffer]
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 /)
  return socket
}

/** A peer that has the secret and sends whatever the test wants. */
async function proved(node: TestNode, name: string): Promise<{ readonly socket: Socket; send(kind: FrameKind, call: number, ...payload: Uint8Array[]): void; readonly failures: string[] }> {
  const socket = await raw(node)
  const failures: string[] = []
  const { hello, receive } = dialerHandshake({ cluster: 'test', node: name, instance: 'ab'.repeat(16), key: proofKey(secret, 'test') }, node.name, Buffer.alloc(32, 7))
  const send = (kind: FrameKind, call: number, ...payload: Uint8Array[]): void => void socket.write(Buffer.concat(encodeFrame(kind, call, payload).parts))
  let isProved = false
  const reader = createFrameReader(() => 100_000, (frame) => {
    if (isProved) {
      if (frame.kind === 'failure') failures.push(Buffer.from(frame.payload).toString())
      return
    }
    const step = receive(frame)
    if (step.kind === 'proved') isProved = true
    else socket.write(Buffer.concat(step.send!.parts))
  })
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
  socket.write(Buffer.concat(hello.parts))
  await until(() => isProved)
  return { socket, send, failures }
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => {
  if (socket.closed) resolve()
  socket.on('close', () => resolve())
})

test('who says nothing is cut after the time for the handshake, who says nonsense or too much at once', async () => {
  const node = await startNode('n1', { settings: { handshakeMsMax: 100, heartbeatMs: 20 } })
  const silent = await raw(node), slow = await raw(node)
  const dripping = setInterval(() => slow.write(Buffer.of(1)), 20)
  await Promise.all([closed(silent), closed(slow)])
  clearInterval(dripping)
  expect(node.lines).toEqual(['no connection from somebody: it has not proved within 100 ms who it is'])
  const patient = await startNode('n2')
  const talker = await raw(patient)
  talker.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await closed(talker)
  const large = await raw(patient)
  large.write(Buffer.concat(encodeFrame('hello', 0, [Buffer.alloc(2_000)]).parts))
  await closed(large)
  expect(patient.lines).toEqual([
    expect.stringMatching(/^no connection from somebody: a frame of unknown kind \d+$/),
    'no connection from somebody: a frame (hello) of 2000 bytes, where at most 1024 are allowed',
  ])
})

test('only so many may be about to prove who they are, and those who can are not kept out by others', async () => {
  const node = await startNode('n1', { settings: { handshakesMax: 2 } })
  const [first, second] = [await raw(node), await raw(node)]
  const third = await raw(node)
  await closed(first)
  expect(node.lines).toEqual(['no connection from somebody: it was the oldest of 2 that had not proved who they are'])
  expect([second.closed, third.closed]).toEqual([false, false])
  // One in so many turns, however long a turn takes: who needs fewer to prove who it is gets in.
  let turns = 0, isOver = false
  const flood = (): void => {
    if (isOver) return
    if (turns++ % 20 === 0) void raw(node).catch(() => {})
    setImmediate(flood)
  }
  flood()
  await proved(node, 'n2')
  isOver = true
  await until(() => node.sockets.size <= 3)
})

test('a frame that breaks the rules ends the connection, and the log names it', async () => {
  const node = await startNode('n1', { settings: { frameBytesMax: 10_000 }, onMessage: (_, body) => {
    if (body.byteLength > 5) throw violation(`a message of ${body.byteLength} bytes`)
  } })
  const question = Buffer.from('\u0004echo\u00ff\u00ff\0\0')
  const cases: readonly (readonly [FrameKind, number, Buffer, string])[] = [
    ['message', 0, Buffer.alloc(10_001), 'a frame (message) of 10001 bytes, where at most 10000 are allowed'],
    ['message', 0, Buffer.alloc(6), 'a message of 6 bytes'],
    ['answer', 1, Buffer.alloc(0), 'a frame (answer) from the side that asks'],
    ['hello', 0, Buffer.alloc(0), 'a frame (hello) from the side that asks'],
    ['request', 0, question, 'a question with number 0, which is none'],
    ['request', 1, Buffer.of(65), 'a frame (request), method: expected at most 64, found 65'],
    ['request', 1, Buffer.from('\u0004echo'), 'a frame (request), limit: expected 4 bytes, found 0 at its end'],
    ['ping', 0, Buffer.alloc(7), 'a frame (ping) of 7 bytes instead of 8'],
  ]
  for (const [kind, call, payload, reason] of cases) {
    const { socket, send } = await proved(node, 'n2')
    send(kind, call, payload)
    await closed(socket)
    expect(node.lines.at(-1)).toBe(`no connection from n2: ${reason}`)
  }
  const { socket } = await proved(node, 'n2')
  const damaged = Buffer.concat(encodeFrame('message', 0, [Buffer.from('abc')]).parts)
  damaged[18]! ^= 1
  socket.write(damaged)
  await closed(socket)
  expect(node.lines.at(-1)).toMatch(/^no connection from n2: a damaged frame \(message, 3 bytes\): expected checksum [0-9a-f]+, found [0-9a-f]+$/)
})

test('who asks and does not read the answers is cut before they fill the memory', async () => {
  const node = await startNode('n1', { settings: { queueBytesMax: 100_000, silentMsMax: 60_000 }, requests: { much: async () => Buffer.alloc(50_000) } })
  const { socket, send } = await proved(node, 'n2')
  socket.pause()
  let call = 0
  const asking = setInterval(() => {
    for (let i = 0; i < 100; i++) send('request', ++call, Buffer.from('\u0004much\u00ff\u00ff\0\0'))
    for (let i = 0; i < 2_000; i++) send('ping', 0, Buffer.alloc(8))
  }, 5)
  let queuedBytesMax = 0
  await until(() => {
    const [from] = node.transport.stats().from
    queuedBytesMax = Math.max(queuedBytesMax, from?.queuedBytes ?? 0)
    return from === undefined
  }, 20_000)
  clearInterval(asking)
  socket.destroy()
  expect(queuedBytesMax).toBeLessThan(300_000)
  expect(node.lines.at(-1)).toMatch(/^no connection from n2: the other side does not read: \d+ bytes wait for it$/)
})

test('nodes that do not belong together say so once, on both sides', async () => {
  const [n1, n2] = [await startNode('n1'), await startNode('n2', { secret: Buffer.from('quite another secret') })]
  for (const node of [n1, n2]) node.transport.setPeers(new Map([['n1', n1.url], ['n2', n2.url]]))
  await until(() => n1.transport.stats().to[0]!.lastFailure !== undefined && n2.transport.stats().to[0]!.lastFailure !== undefined)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const reason = (a: string, b: string): string => `refused: ${a} has another cluster secret than ${b}`
  expect(n1.lines.toSorted()).toEqual([`no connection from n2: ${reason('n2', 'n1')}`, `no connection to n2: ${reason('n1', 'n2')}`])
  expect(n2.lines.toSorted()).toEqual([`no connection from n1: ${reason('n1', 'n2')}`, `no connection to n1: ${reason('n2', 'n1')}`])
  expect(n1.transport.send('n2', [])).toBe(false)
})

test('of two nodes that go by one name the first one stays', async () => {
  const [n1, first, second] = [await startNode('n1'), await startNode('n2'), await startNode('n2')]
  await connectAll(n1, first)
  second.transport.setPeers(new Map([['n1', n1.url]]))
  await until(() => second.transport.stats().to[0]!.lastFailure !== undefined)
  expect(second.lines).toEqual([expect.stringMatching(/^no connection to n1: refused: another n2 is connected to n1/)])
  expect(n1.lines.at(-1)).toMatch(/^no connection from n2: refused: another n2 is connected to n1/)
  expect([n1, first].map(({ transport }) => transport.stats().to[0]!.isConnected)).toEqual([true, true])
  await first.transport.close()
  await until(() => second.transport.stats().to[0]!.isConnected)
})

test('what is no node at all is named', async () => {
  const n1 = await startNode('n1')
  const server = createServer((_, response) => response.writeHead(404).end())
  const { port } = await listen(server)
  n1.transport.setPeers(new Map([['n2', `http://127.0.0.1:${port}`], ['n3', 'http://127.0.0.1:1']]))
  await until(() => n1.lines.length === 2)
  expect(n1.lines.toSorted()).toEqual(['no connection to n2: it answers "HTTP/1.1 404 Not Found", and not as a node of a cluster', 'no connection to n3: connect ECONNREFUSED 127.0.0.1:1'])
  server.close()
})
