/** /metrics in the text format of Prometheus: requests as they are answered, and all else as it stands when it is asked for. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { createHistogram, observe } from '../../runtime/histogram.ts'
import type { Histogram, HistogramRecorder } from '../../runtime/histogram.ts'
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

/** Requests that were answered alike. */
interface Answered {
  readonly route: string
  readonly method: string
  readonly status: number
  count: number
  /** Of the whole route. */
  readonly seconds: HistogramRecorder
}

/** Counted as plain numbers; the library gets them when they are asked for. */
class AnsweredRequests {
  private readonly all: Answered[] = []
  readonly seconds = new Map<string, HistogramRecorder>()
  /** Most are like the one before. */
  private last: Answered | undefined = undefined

  add(route: string, method: string, status: number, elapsed: number): void {
    let { last } = this
    if (last === undefined || last.status !== status || last.route !== route || last.method !== method) last = this.last = this.like(route, method, status)
    last.count++
    observe(last.seconds, elapsed)
  }

  /** Moves the counts to the library's. */
  drain(counter: Counter): void {
    for (const each of this.all) {
      counter.inc({ route: each.route, method: each.method, status: String(each.status) }, each.count)
      each.count = 0
    }
  }

  private like(route: string, method: string, status: number): Answered {
    const known = this.all.find((each) => each.status === status && each.route === route && each.method === method)
    if (known !== undefined) return known
    const seconds = this.seconds.get(route) ?? createHistogram(secondsBounds)
    this.seconds.set(route, seconds)
    const added = { route, method, status, count: 0, seconds }
    this.all.push(added)
    return added
  }
}

/** With `ofProcess`, what the process uses too: for one server a process. */
export function createMetrics(ofProcess: boolean): Metrics {
  const registry = new Registry()
  const requests = new Counter({ name: 'lsmt_http_requests_total', help: 'Requests, by route, method and status', labelNames: ['route', 'method', 'status'], registers: [registry] })
  const answered = new AnsweredRequests()
  const setters = metricTable.map((metric) => createSetter(metric, registry))
  if (ofProcess) collectDefaultMetrics({ register: registry })
  return {
    answered(route, method, status, elapsed) {
      answered.add(route, methods.has(method) ? method : 'other', status, elapsed)
    },
    async text(sample) {
      answered.drain(requests)
      for (const set of setters) set(sample)
      const texts = [await registry.metrics(), requestSeconds(answered.seconds), ...histogramTable.map((histogram) => histogramText(histogram, sample))]
      return texts.join('\n')
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

/** The library's own histograms can only be added to, one value at a time. */
function histogramText({ name, help, scale, read }: SampledHistogram, sample: Sample): string {
  return [...histogramHead(name, help), ...seriesLines(name, read(sample), scale, undefined), ''].join('\n')
}

function requestSeconds(byRoute: ReadonlyMap<string, Histogram>): string {
  const name = 'lsmt_http_request_seconds'
  const series = [...byRoute].flatMap(([route, histogram]) => seriesLines(name, histogram, 1, `route="${route}"`))
  return [...histogramHead(name, 'Time from the head of a request to the end of its answer, by route'), ...series, ''].join('\n')
}

function histogramHead(name: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
}

function seriesLines(name: string, { bounds, counts, sum }: Histogram, scale: number, label: string | undefined): readonly string[] {
  let count = 0
  const own = label === undefined ? '' : `{${label}}`
  const more = label === undefined ? '' : `,${label}`
  const buckets = counts.map((here, place) => `${name}_bucket{le="${place < bounds.length ? bounds[place]! * scale : '+Inf'}"${more}} ${(count += here)}`)
  return [...buckets, `${name}_sum${own} ${sum * scale}`, `${name}_count${own} ${count}`]
}
