/**
 * Between two processes on loopback: messages one way, bytes of a stream, and how long a request takes. Beside them stands
 * a bare socket that moves as many bytes with nothing around them, which is what there is to be had.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Transport } from '../../src/cluster/transport/transport.ts'
import { measureContestants } from '../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../harness.ts'
import { benchTransport } from './bench-transport.ts'

interface Ports {
  readonly node: number
  readonly sink: number
  readonly source: number
}

const messageBytes = 100
/** What one turn of the event loop sends. */
const messagesPerTurn = 50
const KiB = 1024
const MiB = 1024 * KiB

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'peer.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [line] = await once(child.stdout, 'data') as [Buffer]
  const ports = JSON.parse(line.toString()) as Ports
  const transport = benchTransport('near', { onMessage: () => {}, requests: {}, streams: {} })
  transport.setPeers(new Map([['far', `http://127.0.0.1:${ports.node}`]]))
  try {
    while (!transport.stats().to[0]!.isConnected) await turn()
    const rounds = smoke ? 1 : 5
    const messages = smoke ? 500 : 200_000, streamBytes = smoke ? MiB : 128 * MiB
    yield await measureContestants(`cluster/transport messages of ${messageBytes} bytes`, [sentMessages(transport, messages), bareMessages(ports, messages)], rounds)
    yield await measureContestants('cluster/transport bytes of a stream', [streamed(transport, streamBytes), bareStream(ports, streamBytes)], rounds)
    for (const atOnce of [1, 64]) yield { bench: 'cluster/transport', note: await requestLatency(transport, atOnce, smoke ? 100 : 20_000) }
  } finally {
    await transport.close()
    child.stdin.end()
    await exited
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function timed(operations: number, run: () => Promise<void>): ReturnType<Contestant['run']> {
  const startMs = performance.now()
  await run()
  return { elapsedMs: performance.now() - startMs, operations, answer: `all ${operations}` }
}

function sentMessages(transport: Transport, count: number): Contestant {
  const body = [Buffer.alloc(messageBytes)]
  return {
    name: 'transport',
    run: () => timed(count, async () => {
      const arrived = transport.request('far', 'received', [Buffer.from(String(count))], { timeoutMs: 60_000 })
      for (let sent = 0; sent < count;) {
        // What is dropped is sent again, as replication does.
        for (let i = 0; i < messagesPerTurn && sent < count && transport.send('far', body); i++) sent++
        await turn()
      }
      await arrived
    }),
  }
}

function bareMessages({ sink }: Ports, count: number): Contestant {
  const body = Buffer.alloc(messageBytes)
  return {
    name: 'bare socket',
    run: () => timed(count, async () => {
      const socket = await open(sink, count * messageBytes)
      const arrived = once(socket, 'data')
      for (let sent = 0; sent < count;) {
        socket.cork()
        for (let i = 0; i < messagesPerTurn && sent < count; i++, sent++) socket.write(body)
        socket.uncork()
        await (socket.writableNeedDrain ? once(socket, 'drain') : turn())
      }
      await arrived
      socket.destroy()
    }),
  }
}

function streamed(transport: Transport, byteCount: number): Contestant {
  return {
    name: 'transport',
    run: () => timed(byteCount, async () => {
      let bytes = 0
      for await (const chunk of transport.stream('far', 'bytes', [Buffer.from(String(byteCount))])) bytes += chunk.byteLength
      if (bytes !== byteCount) throw new Error(`${bytes} bytes of ${byteCount}`)
    }),
  }
}

function bareStream({ source }: Ports, byteCount: number): Contestant {
  return {
    name: 'bare socket',
    run: () => timed(byteCount, async () => {
      const socket = await open(source, byteCount)
      let bytes = 0
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength
        if (bytes === byteCount) break
      }
    }),
  }
}

/** A socket to which a count was written. */
async function open(port: number, count: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  await once(socket, 'connect')
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(count))
  socket.write(bytes)
  return socket
}

async function requestLatency(transport: Transport, atOnce: number, count: number): Promise<string> {
  const latenciesMs: number[] = []
  const body = [Buffer.alloc(messageBytes)]
  const startMs = performance.now()
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let i = 0; i < count / atOnce; i++) {
      const beganAtMs = performance.now()
      await transport.request('far', 'echo', body, { timeoutMs: 10_000 })
      latenciesMs.push(performance.now() - beganAtMs)
    }
  }))
  const perSecond = latenciesMs.length / (performance.now() - startMs) * 1_000
  latenciesMs.sort((a, b) => a - b)
  const at = (part: number): string => `${(latenciesMs[Math.floor(latenciesMs.length * part)]! * 1_000).toFixed(0)} µs`
  return `requests, ${atOnce} at a time: ${perSecond.toFixed(0)} a second, p50 ${at(0.5)}, p99 ${at(0.99)}`
}
