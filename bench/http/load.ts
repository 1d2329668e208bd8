/** A process of its own that makes load, so that the server under test keeps its core: takes a `Load` as JSON, prints an `Outcome`. */
import autocannon from 'autocannon'
import type { Load, Outcome } from './processes.ts'

const { url, connections, seconds, bodies } = JSON.parse(process.argv[2]!) as Load
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  requests: bodies.map((body) => ({ method: 'POST' as const, path: '/query', headers: { 'content-type': 'text/plain' }, body })),
})
const outcome: Outcome = {
  perSecond: result.requests.total / result.duration,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
  maxMs: result.latency.max,
  failures: result.errors + result.timeouts + result.non2xx,
}
console.log(JSON.stringify(outcome))
