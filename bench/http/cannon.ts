/** The load of autocannon, which is known and takes more of the machine than `load.ts`: takes a `Load` as JSON, prints a `LoadOutcome`. */
import autocannon from 'autocannon'
import type { Load, LoadOutcome } from './processes.ts'

const { url, connections, seconds, bodies } = JSON.parse(process.argv[2]!) as Load
const begun = process.cpuUsage()
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  requests: bodies.map((body) => ({ method: 'POST' as const, path: '/query', headers: { 'content-type': 'text/plain' }, body })),
})
const { user, system } = process.cpuUsage(begun)
const outcome: LoadOutcome = {
  perSecond: result.requests.total / result.duration,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
  maxMs: result.latency.max,
  failures: result.errors + result.timeouts + result.non2xx,
  ownCpuMicros: (user + system) / result.requests.total,
}
console.log(JSON.stringify(outcome))
