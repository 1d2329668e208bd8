/**
 * etcd in memory behind the client's transport, by the same JSON as the gateway's. Its members share one state and never
 * disagree; a script makes the way to them, and the members themselves, fail as real ones do.
 */
import type { Alarms } from '../../../../src/runtime/alarms.ts'
import type { Lines, Reply, StreamReply, Transport, TransportRequest } from '../../../../src/cluster/etcd/transport/transport.ts'
import { eventJson, int64Of, rangeOf, requests } from './requests.ts'
import type { Json } from './requests.ts'
import { StoreRefusal, createStore } from './store.ts'
import type { KeyRange, Store } from './store.ts'

/**
 * no-connection: nothing was sent. lost-request, lost-answer: the connection breaks before or after the effect. late: it
 * breaks, and the effect comes when `deliver` is called. silent: no effect and no answer, ever; silent-answer: the effect
 * and no answer. A text is an error of etcd's in the gateway's JSON.
 */
export type Fault = 'no-connection' | 'lost-request' | 'lost-answer' | 'late' | 'silent' | 'silent-answer' | { readonly code: number; readonly message: string }

export interface ModelRequest {
  /** Counted from 1, streams included. */
  readonly number: number
  readonly endpoint: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
}

export interface ModelScript {
  fault?: (request: ModelRequest) => Fault | undefined
  /** Whether a watch's stream ends before that line, counted from 1. */
  cut?: (lineNumber: number) => boolean
  clusterIdOf?: (endpoint: string) => string
  term?: string
  progressMs?: number
  /** Events in one part of a message, and revisions in one message, at most. */
  partEvents?: number
  messageRevisions?: number
}

export interface EtcdModel {
  readonly transport: Transport
  readonly store: Store
  /** 'kv/put http://a', in order. */
  readonly requests: string[]
  readonly script: ModelScript
  /** Lets late requests take effect, in their order. */
  deliver(): void
}

const mayHave = (reason: string): Reply => ({ kind: 'failed', reason, mayHaveArrived: true })
const answer = (status: number, json: Json): Reply => ({ kind: 'answered', status, body: JSON.stringify(json) })

export function createEtcdModel(alarms: Alarms, script: ModelScript = {}): EtcdModel {
  const store = createStore(alarms)
  const log: string[] = []
  const late: (() => void)[] = []
  const headerAt = (endpoint: string): Json => ({ cluster_id: script.clusterIdOf?.(endpoint) ?? '14443903163313418560', member_id: '11417610130673999598', revision: String(store.revision), raft_term: script.term ?? '2' })

  function carryOut({ endpoint, path, body }: TransportRequest): Reply {
    try {
      const carry = requests[path]
      if (carry === undefined) return { kind: 'answered', status: 404, body: 'Not Found\n' }
      const result = carry(store, JSON.parse(body) as Json)
      const whole = { header: headerAt(endpoint), ...result }
      return answer(200, path === 'lease/keepalive' ? { result: whole } : whole)
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error
      return answer(400, { error: error.message, message: error.message, code: error.code })
    }
  }

  const faultOf = ({ endpoint, path, body, headers }: TransportRequest): Fault | undefined => {
    log.push(`${path} ${endpoint}`)
    return script.fault?.({ number: log.length, endpoint, path, headers, body: JSON.parse(body) as Json })
  }

  async function meet(request: TransportRequest, fault: Fault, effect: () => void): Promise<Reply> {
    if (typeof fault === 'object') return answer(fault.code === 16 ? 401 : 400, { error: fault.message, message: fault.message, code: fault.code })
    if (fault === 'late') late.push(effect)
    if (fault === 'lost-answer' || fault === 'silent-answer') effect()
    if (fault === 'silent' || fault === 'silent-answer') return silence(request.signal)
    return fault === 'no-connection' ? { kind: 'failed', reason: 'connect ECONNREFUSED', mayHaveArrived: false } : mayHave('read ECONNRESET')
  }

  const transport: Transport = {
    async post(request) {
      const fault = faultOf(request)
      // Never within the caller's turn, as with sockets.
      await new Promise((resolve) => setImmediate(resolve))
      if (request.signal.aborted) return { kind: 'failed', reason: 'given up', mayHaveArrived: false }
      return fault === undefined ? carryOut(request) : meet(request, fault, () => void carryOut(request))
    },
    async stream(request): Promise<StreamReply> {
      const fault = faultOf(request)
      await new Promise((resolve) => setImmediate(resolve))
      if (fault !== undefined) return meet(request, fault, () => {})
      return { kind: 'open', lines: watchLines({ store, alarms, script, header: () => headerAt(request.endpoint), request: (JSON.parse(request.body) as { create_request: Json }).create_request, signal: request.signal }) }
    },
    close() {},
  }
  return { transport, store, requests: log, script, deliver: () => { for (const effect of late.splice(0)) effect() } }
}

const silence = (signal: AbortSignal): Promise<Reply> =>
  new Promise((resolve) => {
    const end = (): void => resolve(mayHave((signal.reason as Error).message))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })

interface WatchOptions {
  readonly store: Store
  readonly alarms: Alarms
  readonly script: ModelScript
  readonly header: () => Json
  readonly request: Json
  readonly signal: AbortSignal
}

async function* watchLines({ store, alarms, script, header, request, signal }: WatchOptions): Lines {
  const range: KeyRange = rangeOf(request)
  let next = int64Of(request['start_revision']) || store.revision + 1n
  let lineNumber = 0
  const line = (result: Json): string => JSON.stringify({ result: { header: header(), ...result } })
  const isCut = (): boolean => script.cut?.(++lineNumber) === true
  if (isCut()) return 'cut'
  yield line({ created: true })
  if (next < store.compactRevision) {
    yield line({ canceled: true, compact_revision: String(store.compactRevision) })
    return 'compacted'
  }
  while (!signal.aborted) {
    const all = store.eventsSince(range, next)
    const lastRevision = [...new Set(all.map(({ revision }) => revision))].slice(0, script.messageRevisions).at(-1)
    const events = all.filter(({ revision }) => lastRevision !== undefined && revision <= lastRevision)
    const partEvents = script.partEvents ?? Infinity
    if (lastRevision !== undefined) next = lastRevision + 1n
    for (let start = 0; start < events.length; start += partEvents) {
      if (isCut()) return 'cut'
      const isLast = start + partEvents >= events.length
      yield line({ events: events.slice(start, start + partEvents).map(eventJson), ...(!isLast && { fragment: true }) })
    }
    if (store.eventsSince(range, next).length === 0 && !(await changed(store, alarms, script.progressMs ?? 200, signal))) {
      if (isCut()) return 'cut'
      if (!signal.aborted) yield line({})
    }
  }
  return 'aborted'
}

/** false: nothing changed for so long. */
function changed(store: Store, alarms: Alarms, ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isChanged: boolean): void => {
      takeBack()
      stopListening()
      signal.removeEventListener('abort', onAbort)
      resolve(isChanged)
    }
    const onAbort = (): void => end(false)
    const takeBack = alarms.after(ms, () => end(false))
    const stopListening = store.onChange(() => end(true))
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) end(false)
  })
}
