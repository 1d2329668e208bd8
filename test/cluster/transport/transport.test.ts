/** Messages, requests and streams between nodes of one process over loopback sockets. */
import { expect, test } from 'vitest'
import { messageReceiver, messageSender } from '../../../src/cluster/transport/replication-messages.ts'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import { LsmtError } from '../../../src/errors.ts'
import { codeOf, connectAll, startNode, text } from './test-node.ts'
import { until } from '../../until.ts'

const KiB = 1024
const MiB = 1024 * KiB

test('messages arrive in their order, whatever their size, and those of one turn leave in few writes', async () => {
  const got: number[] = []
  // Signs of life are writes too.
  const settings = { heartbeatMs: 60_000, silentMsMax: 200_000 }
  const [n1, n2] = [await startNode('n1', { settings }), await startNode('n2', { settings, onMessage: (_, body) => got.push(body.byteLength) })]
  await connectAll(n1, n2)
  const writesBefore = n1.transport.stats().to[0]!.writes
  const sizes = [1, 0, 20, 100_000, 3, 2 * MiB, 5, ...Array.from({ length: 1_000 }, (_, i) => i % 50)]
  for (const size of sizes) expect(n1.transport.send('n2', [Buffer.alloc(size >> 1), Buffer.alloc(size - (size >> 1))])).toBe(true)
  await until(() => got.length === sizes.length)
  expect(got).toEqual(sizes)
  expect(n1.transport.stats().to[0]!.writes - writesBefore).toBeLessThan(20)

  const writes = n1.transport.stats().to[0]!.writes
  for (let i = 0; i < 100; i++) n1.transport.send('n2', text('x'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(n1.transport.stats().to[0]!.writes - writes).toBe(1)
})

test('messages of replication come from the node that is connected, whoever they say they are from', async () => {
  const got: unknown[] = []
  const n1 = await startNode('n1'), n2 = await startNode('n2', { onMessage: messageReceiver('n2', (message) => got.push(message)) })
  await connectAll(n1, n2)
  const message: PeerMessage = { kind: 'locate', from: { node: 'n1', store: 'a' }, to: { node: 'n2', store: 'b' }, epoch: 3 }
  const send = messageSender('n1', n1.transport)
  expect(send({ shard: 5, message })).toBe(true)
  await until(() => got.length === 1)
  expect(got).toEqual([{ shard: 5, message }])
  expect(() => send({ shard: 5, message: { ...message, from: { node: 'n3', store: 'a' } } })).toThrow(expect.objectContaining({ code: 'XX000' }))
  n1.transport.send('n2', text('nonsense'))
  await until(() => n2.lines.at(-1)!.startsWith('no connection from n1: a message of replication, '))
})

test('both directions at once, among three nodes', async () => {
  const nodes = [await startNode('n1'), await startNode('n2'), await startNode('n3')] as const
  await connectAll(...nodes)
  for (const a of nodes) for (const b of nodes) if (a !== b) a.transport.send(b.name, text('hello'))
  await until(() => nodes.every(({ messages }) => messages.length === 2))
  expect(nodes.map(({ messages }) => messages.toSorted())).toEqual([['n2 hello', 'n3 hello'], ['n1 hello', 'n3 hello'], ['n1 hello', 'n2 hello']])
  expect(nodes[0].transport.send('n9', text('nobody'))).toBe(false)
  expect(nodes[0].transport.send('n1', text('myself'))).toBe(false)
})

test('a request has its answer, or the error of the other node', async () => {
  const n1 = await startNode('n1')
  const n2 = await startNode('n2', {
    settings: { answerBytesMax: 10 },
    requests: {
      echo: async (body, { from }) => Buffer.from(`${from}: ${Buffer.from(body).toString()}`),
      refuse: async () => { throw new LsmtError('42P01', 'there is no table "Ü"') },
      break: async () => { throw new TypeError('a bug') },
      much: async () => Buffer.alloc(11),
    },
  })
  await connectAll(n1, n2)
  const ask = (method: string, body = ''): Promise<Uint8Array> => n1.transport.request('n2', method, text(body), { timeoutMs: 20_000 })
  expect(Buffer.from(await ask('echo', 'hello')).toString()).toBe('n1: hello')
  await expect(ask('refuse')).rejects.toMatchObject({ code: '42P01', message: 'there is no table "Ü"' })
  await expect(ask('break')).rejects.toMatchObject({ code: 'XX000', message: "internal error in 'break' of n2; its log has the details" })
  await expect(ask('nothing')).rejects.toMatchObject({ code: '0A000' })
  await expect(ask('toString')).rejects.toMatchObject({ code: '0A000' })
  await expect(ask('much')).rejects.toMatchObject({ code: '54000' })
  await expect(n1.transport.request('n9', 'echo', [], { timeoutMs: 100 })).rejects.toMatchObject({ code: '08006', message: "node 'n9' cannot be reached: no address of it is known" })
  expect(n2.lines).toContain("'break' of a node failed")
})

test('a request ends at its deadline and when it is cancelled, and the other node hears of both', async () => {
  const ended: string[] = []
  const n1 = await startNode('n1')
  const n2 = await startNode('n2', {
    requests: { wait: (body, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => {
      ended.push(`${Buffer.from(body).toString()}: ${(signal.reason as LsmtError).message}`)
      reject(signal.reason as LsmtError)
    })) },
  })
  await connectAll(n1, n2)
  await expect(n1.transport.request('n2', 'wait', text('a'), { timeoutMs: 50 })).rejects.toMatchObject({ code: '40003', message: "n2 has not answered 'wait' within 50 ms" })
  const cancel = new AbortController()
  const waiting = n1.transport.request('n2', 'wait', text('b'), { timeoutMs: 5_000, signal: cancel.signal })
  setTimeout(() => cancel.abort(new LsmtError('57014', 'the client left')), 20)
  await expect(waiting).rejects.toMatchObject({ code: '57014', message: 'the client left' })
  await until(() => ended.length === 2)
  expect(ended[0]).toMatch(/^a: (cancelled by n1|'wait' of n1 was given 50 ms)$/)
  expect(ended[1]).toBe('b: cancelled by n1')
  expect(await codeOf(n1.transport.request('n2', 'wait', [], { timeoutMs: 5_000, signal: AbortSignal.abort() }))).toBe('57014')
})

test('who asks too much at once is refused, and nothing else suffers', async () => {
  const answers: (() => void)[] = []
  const n1 = await startNode('n1')
  const n2 = await startNode('n2', {
    settings: { requestsMax: 3, requestBytesMax: 1_000 },
    requests: { wait: () => new Promise((resolve) => answers.push(() => resolve(Buffer.alloc(1)))), echo: async (body) => body },
  })
  await connectAll(n1, n2)
  const ask = (method: string, bytes: number): Promise<string> => codeOf(n1.transport.request('n2', method, [Buffer.alloc(bytes)], { timeoutMs: 20_000 }))
  const waiting = [ask('wait', 10), ask('wait', 10)]
  await until(() => answers.length === 2)
  expect(await ask('echo', 990)).toBe('53300')
  expect(await ask('echo', 100)).toBe('none')
  waiting.push(ask('wait', 1))
  await until(() => answers.length === 3)
  expect(await ask('echo', 1)).toBe('53300')
  for (const answer of answers) answer()
  expect(await Promise.all(waiting)).toEqual(['none', 'none', 'none'])
  expect(await ask('echo', 2_000)).toBe('none')
})

test('when the queue to a node is full messages are dropped and requests refused, in bounded memory', async () => {
  const n1 = await startNode('n1', { settings: { queueBytesMax: 2 * MiB } }), n2 = await startNode('n2')
  await connectAll(n1, n2)
  for (const socket of n2.sockets) socket.pause()
  let sent = 0
  for (let i = 0; i < 400; i++) {
    if (n1.transport.send('n2', [Buffer.alloc(64 * KiB)])) sent++
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const { droppedMessages, queuedBytes } = n1.transport.stats().to[0]!
  expect(droppedMessages).toBe(400 - sent)
  expect(droppedMessages).toBeGreaterThan(0)
  expect(queuedBytes).toBeLessThanOrEqual(2 * MiB)
  await expect(n1.transport.request('n2', 'echo', [Buffer.alloc(64 * KiB)], { timeoutMs: 10_000 })).rejects.toMatchObject({ code: '53300' })
  for (const socket of n2.sockets) socket.resume()
  await until(() => n2.messages.length === sent)
  expect(await codeOf(n1.transport.request('n2', 'echo', text('again'), { timeoutMs: 20_000 }))).toBe('none')
})

test('an answer that never comes is 40003 when its connection is cut, and the next request goes over a new one', async () => {
  const n1 = await startNode('n1'), n2 = await startNode('n2', { requests: { wait: () => new Promise(() => {}), echo: async (body) => body } })
  await connectAll(n1, n2)
  const waiting = n1.transport.request('n2', 'wait', [], { timeoutMs: 20_000 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (const socket of n2.sockets) socket.destroy()
  await expect(waiting).rejects.toMatchObject({ code: '40003' })
  expect(await codeOf(n1.transport.request('n2', 'echo', [], { timeoutMs: 20_000 }))).toBe('08006')
  await until(() => n1.transport.stats().to[0]!.isConnected)
  expect(n1.transport.stats().to[0]!.connections).toBe(2)
  expect(await codeOf(n1.transport.request('n2', 'echo', [], { timeoutMs: 20_000 }))).toBe('none')
})

test('nodes that are no longer known are left, those at new addresses found', async () => {
  const n1 = await startNode('n1'), n2 = await startNode('n2'), other = await startNode('n2')
  await connectAll(n1, n2)
  n1.transport.setPeers(new Map([['n2', other.url]]))
  await until(() => n1.transport.send('n2', text('there')))
  await until(() => other.messages.length === 1)
  n1.transport.setPeers(new Map())
  expect(n1.transport.send('n2', text('gone'))).toBe(false)
  await until(() => other.transport.stats().from.length === 0)
  expect(() => n1.transport.setPeers(new Map([['n2', 'n2:8080']]))).toThrow(expect.objectContaining({ code: '22023' }))
})
