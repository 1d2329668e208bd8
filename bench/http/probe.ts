/**
 * Latency of requests that are sent at a steady rate, whether or not those before were answered, so that a server that
 * stands still is seen by all that come meanwhile. Each is timed from when it was sent; the first second is not counted.
 * A process of its own, as `load.ts`: takes a `Load` as JSON, prints an `Outcome`.
 */
import { Agent, request } from 'node:http'
import type { Load, Outcome } from './processes.ts'

const { url, connections, seconds, bodies, perSecond = 100, headers = {} } = JSON.parse(process.argv[2]!) as Load
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const warmUpMs = 1_000, startMs = performance.now(), endMs = startMs + warmUpMs + seconds * 1_000
const latencies: number[] = []
let [sent, failures, underWay] = [0, 0, 0]

function send(): void {
  const body = bodies[sent++ % bodies.length]!
  const sentMs = performance.now()
  underWay++
  const over = (isGood: boolean): void => {
    underWay--
    if (!isGood) failures++
    if (sentMs >= startMs + warmUpMs) latencies.push(performance.now() - sentMs)
  }
  const asked = request(`${url}/query`, { method: 'POST', agent, headers: { ...headers, 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) } }, (response) => {
    response.resume()
    response.on('end', () => over(response.statusCode === 200))
  })
  asked.on('error', () => over(false))
  asked.end(body)
}

function tick(): void {
  const nowMs = performance.now()
  if (nowMs < endMs) {
    while (sent < ((nowMs - startMs) / 1_000) * perSecond) send()
    setTimeout(tick, 1)
  } else if (underWay > 0) setTimeout(tick, 10)
  else tell()
}

function tell(): void {
  agent.destroy()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => Math.round((latencies[Math.floor((latencies.length - 1) * share)] ?? 0) * 10) / 10
  const outcome: Outcome = { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), failures }
  console.log(JSON.stringify(outcome))
}

tick()
