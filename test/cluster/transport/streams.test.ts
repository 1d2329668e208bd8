/** Streamed bytes: order, flow control, ends from either side, and that messages pass them. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { codeOf, connectAll, startNode, text } from './test-node.ts'
import { until } from '../../until.ts'
import type { TestNode } from './test-node.ts'

const KiB = 1024
const MiB = 1024 * KiB
const windowBytes = 256 * KiB

interface Source {
  givenBytes: number
  readonly ends: string[]
}

/** `bytes`: so many, in pieces of 100 KB. `forever`: without end. `broken`: fails after the first piece. */
async function startPair(): Promise<{ readonly n1: TestNode; readonly n2: TestNode; readonly source: Source }> {
  const source: Source = { givenBytes: 0, ends: [] }
  async function* pieces(bytesMax: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; source.givenBytes < bytesMax; i++) {
        const bytes = Buffer.alloc(Math.min(100_000, bytesMax - source.givenBytes), i)
        source.givenBytes += bytes.length
        yield bytes
      }
    } finally {
      source.ends.push(signal.aborted ? (signal.reason as LsmtError).message : 'whole')
    }
  }
  const n1 = await startNode('n1', { settings: { streamWindowBytes: windowBytes } })
  const n2 = await startNode('n2', {
    settings: { streamsMax: 2 },
    streams: {
      bytes: (body, { signal }) => pieces(Number(Buffer.from(body).toString()), signal),
      forever: (_, { signal }) => pieces(Number.MAX_SAFE_INTEGER, signal),
      async *broken() {
        yield Buffer.from('first')
        throw new LsmtError('XX001', 'a block is corrupt')
      },
      // eslint-disable-next-line require-yield
      async *silent(_, { signal }) {
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as LsmtError)))
      },
    },
  })
  await connectAll(n1, n2)
  return { n1, n2, source }
}

async function sumOf(stream: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number; readonly sum: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    bytes += chunk.byteLength
  }
  return { bytes, sum: hash.digest('hex') }
}

test('all bytes arrive in order', async () => {
  const { n1, source } = await startPair()
  const expected = createHash('sha256')
  for (let i = 0, rest = 20 * MiB; rest > 0; i++, rest -= 100_000) expected.update(Buffer.alloc(Math.min(100_000, rest), i))
  expect(await sumOf(n1.transport.stream('n2', 'bytes', text(String(20 * MiB))))).toEqual({ bytes: 20 * MiB, sum: expected.digest('hex') })
  expect(source.ends).toEqual(['whole'])
  expect(await sumOf(n1.transport.stream('n2', 'bytes', text('0')))).toMatchObject({ bytes: 0 })
})

test('a reader that stops reading stops the source, and messages and requests go on meanwhile', async () => {
  const { n1, n2, source } = await startPair()
  const stream = n1.transport.stream('n2', 'forever', [])
  let readBytes = (await stream.next()).value!.byteLength
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(source.givenBytes - readBytes).toBeLessThanOrEqual(windowBytes + 100_000)
  expect(Buffer.from(await n1.transport.request('n2', 'echo', text('meanwhile'), { timeoutMs: 10_000 })).toString()).toBe('meanwhile')
  for (let i = 0; i < 100; i++) readBytes += (await stream.next()).value!.byteLength
  expect(source.givenBytes - readBytes).toBeLessThanOrEqual(2 * windowBytes + 100_000)
  await stream.return()
  await until(() => source.ends.length === 1)
  expect(source.ends).toEqual(['cancelled by n1'])
  expect(n2.transport.stats().from).toHaveLength(1)
})

test('either side can end it', async () => {
  const { n1, n2, source } = await startPair()
  await expect(sumOf(n1.transport.stream('n2', 'broken', []))).rejects.toMatchObject({ code: 'XX001', message: 'a block is corrupt' })
  await expect(sumOf(n1.transport.stream('n2', 'none', []))).rejects.toMatchObject({ code: '0A000' })

  const cancel = new AbortController()
  const reading = sumOf(n1.transport.stream('n2', 'silent', [], { signal: cancel.signal }))
  setTimeout(() => cancel.abort(), 20)
  expect(await codeOf(reading)).toBe('57014')

  const cut = sumOf(n1.transport.stream('n2', 'forever', []))
  await until(() => source.givenBytes > 0)
  for (const socket of n2.sockets) socket.destroy()
  await expect(cut).rejects.toMatchObject({ code: '08006' })
  await until(() => source.ends.length === 1)
})

test('one node may have so many open, and those that ended count no more', async () => {
  const { n1 } = await startPair()
  const open = [n1.transport.stream('n2', 'forever', []), n1.transport.stream('n2', 'forever', [])]
  for (const stream of open) await stream.next()
  expect(await codeOf(sumOf(n1.transport.stream('n2', 'bytes', text('10'))))).toBe('53300')
  for (const stream of open) await stream.return()
  await until(() => n1.transport.stats().to[0]!.queuedBytes === 0)
  await expect(n1.transport.request('n2', 'echo', [], { timeoutMs: 10_000 })).resolves.toBeDefined()
  expect(await codeOf(sumOf(n1.transport.stream('n2', 'broken', [])))).toBe('XX001')
})
