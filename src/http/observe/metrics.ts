/** /metrics in the text format of Prometheus: requests as they are answered, and all else as it stands when it is asked for. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { histogramTable, metricTable } from './metric-table.ts'
import type { Metric, Sample, SampledHistogram } from './metric-table.ts'

export interface Metrics {
  /** To be called for each answer, whole or not. */
  answered(route: string, method: string, status: number, seconds: number): void
  text(sample: Sample): Promise<string>
}

const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

export const metricsContentType: string = Registry.PROMETHEUS_CONTENT_TYPE

/** Methods by name, since anything may be sent as one. */
const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD', 'OPTIONS'])

/** With `ofProcess`, what the process uses too: for one server a process. */
export function createMetrics(ofProcess: boolean): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({ name: 'lsmt_http_requests_total', help: 'Requests, by route, method and status', labelNames: ['route', 'method', 'status'], registers })
  const seconds = new Histogram({ name: 'lsmt_http_request_seconds', help: 'Time from the head of a request to the end of its answer, by route', labelNames: ['route'], buckets: secondsBounds, registers })
  const known = new Map<string, () => void>()
  const timers = new Map<string, Histogram.Internal<'route'>>()
  const setters = metricTable.map((metric) => createSetter(metric, registry))
  if (ofProcess) collectDefaultMetrics({ register: registry })
  return {
    answered(route, method, status, elapsed) {
      const verb = methods.has(method) ? method : 'other'
      const name = `${route} ${verb} ${status}`
      let count = known.get(name)
      if (count === undefined) {
        const child = requests.labels({ route, method: verb, status: String(status) })
        known.set(name, (count = () => child.inc()))
      }
      count()
      let timer = timers.get(route)
      if (timer === undefined) timers.set(route, (timer = seconds.labels({ route })))
      timer.observe(elapsed)
    },
    async text(sample) {
      for (const set of setters) set(sample)
      const text = await registry.metrics()
      return `${text}\n${histogramTable.map((histogram) => histogramText(histogram, sample)).join('\n')}`
    },
  }
}

function createSetter({ kind, name, help, label, read }: Metric, registry: Registry): (sample: Sample) => void {
  const settings = { name, help, labelNames: label === undefined ? [] : [label], registers: [registry] }
  const metric = kind === 'gauge' ? new Gauge(settings) : new Counter(settings)
  return (sample) => {
    const value = read(sample)
    metric.reset()
    if (typeof value === 'number') metric.inc(value)
    else for (const [labelled, each] of Object.entries(value)) metric.inc({ [label ?? '']: labelled }, each)
  }
}

/** The library's own histograms can only be added to. */
function histogramText({ name, help, scale, read }: SampledHistogram, sample: Sample): string {
  const { bounds, counts, sum } = read(sample)
  let count = 0
  const buckets = counts.map((here, place) => `${name}_bucket{le="${place < bounds.length ? bounds[place]! * scale : '+Inf'}"} ${(count += here)}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...buckets, `${name}_sum ${sum * scale}`, `${name}_count ${count}`, ''].join('\n')
}
