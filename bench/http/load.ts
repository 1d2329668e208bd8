/**
 * As many requests as are answered, each connection one after the other, by as little work as it takes: requests are made
 * before, of answers only status and length are looked at. So the server is what limits them, and not this process, which
 * is one of its own so that the server keeps its core: takes a `Load` as JSON, prints a `LoadOutcome`.
 */
import { connect } from 'node:net'
import type { Load, LoadOutcome } from './processes.ts'

const { url, connections, seconds, bodies } = JSON.parse(process.argv[2]!) as Load
const { hostname, port, host } = new URL(url)
const requests = bodies.map((body) => Buffer.from(`POST /query HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`))
const latencies: number[] = []
const begun = process.cpuUsage()
const startMs = performance.now(), endMs = startMs + seconds * 1_000
let failures = 0

/** Resolves when no more is sent. */
function run(first: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let [next, sentMs, isOver, received] = [first, 0, false, nothing]
    const send = (): void => {
      sentMs = performance.now()
      if (sentMs >= endMs) {
        isOver = true
        socket.destroy()
      } else socket.write(requests[next++ % requests.length]!)
    }
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const end = answerEnd(received)
      if (received.length < end) return
      // More than the answer, or another one, is none.
      if (received.length > end || !received.toString('latin1', 0, 13).startsWith('HTTP/1.1 200 ')) failures++
      received = nothing
      latencies.push(performance.now() - sentMs)
      send()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (!isOver) failures++
      resolve()
    })
  })
}

const nothing = Buffer.alloc(0)

/** Where an answer ends that begins so; infinity while its head is not whole. */
function answerEnd(received: Buffer): number {
  const head = received.indexOf('\r\n\r\n')
  if (head < 0) return Infinity
  const length = /\r\ncontent-length: (\d+)/i.exec(received.toString('latin1', 0, head))?.[1]
  if (length === undefined) throw new Error('an answer without a length, which this load does not read')
  return head + 4 + Number(length)
}

await Promise.all(Array.from({ length: connections }, (_, index) => run(index * 7)))
const elapsedMs = performance.now() - startMs
const { user, system } = process.cpuUsage(begun)
latencies.sort((a, b) => a - b)
const at = (share: number): number => Math.round((latencies[Math.floor((latencies.length - 1) * share)] ?? 0) * 10) / 10
const outcome: LoadOutcome = { perSecond: (1_000 * latencies.length) / elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), failures, ownCpuMicros: (user + system) / latencies.length }
console.log(JSON.stringify(outcome))
