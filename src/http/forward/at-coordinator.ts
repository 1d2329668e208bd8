/**
 * Has a request that writes run at the node that coordinates writes, which may be this one, and may become another one
 * meanwhile: a request that certainly was not taken goes to the next, for as long as clients are made to wait. One of
 * which nobody knows what came is told so (40003), unless it may be repeated: then it goes to the next as well.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CoordinatorPlace } from '../../cluster/engine/serve/terms.ts'
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { requestIdHeader, requestIdOf } from '../observe/own-headers.ts'
import { handOn } from './hand-on.ts'
import type { Elsewhere, Handed, HandedBody, Verdict } from './hand-on.ts'
import { forwardedHeader, notTakenHeader, requestHeaders, unknownHeader } from './passed-headers.ts'
import type { Peers } from './peers.ts'
import type { ServedCluster } from './served-cluster.ts'

export interface Forwarding {
  readonly cluster: ServedCluster
  readonly peers: Peers
  readonly clock: Clock
  readonly counts: ForwardCounts
}

/** Requests so far. */
export interface ForwardCounts {
  /** Handed on to another node, which answered. */
  answered: number
  /** Attempts that came to nothing: a request may make several. */
  notTaken: number
  /** Lost on the way: what came of them is not known. */
  unknown: number
}

export interface WritingRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: HandedBody
  /** That it may wait for a node to take it. */
  readonly waitMsMax: number
  /** It takes effect once however often it is sent: it goes on to the next node though nobody knows what came of it. */
  readonly isRepeatable: boolean
  /** Runs it here. What was not answered may go elsewhere. */
  readonly here: (engine: Engine) => Promise<Verdict>
}

/** Longer than a node that stops lets its requests end (--stop-timeout-ms) before it hands over; an election takes less. */
export const coordinatorWaitMs = 15_000
/** One that was handed on is better offered elsewhere than kept. */
const forwardedWaitMs = 1_000

const pauseMs = 50, pauseMsMax = 400

/** Resolves when it was answered. 57P03 when no node took it; 40003 when one may have, and was lost. */
export async function runAtCoordinator(forwarding: Forwarding, writing: WritingRequest): Promise<void> {
  const { clock } = forwarding
  const { request, response, here, isRepeatable } = writing
  const endMs = clock.monotonicMs() + Math.min(writing.waitMsMax, isForwarded(request) ? forwardedWaitMs : coordinatorWaitMs)
  let lost: LsmtError | undefined
  for (let wait = pauseMs; ; wait = Math.min(2 * wait, pauseMsMax)) {
    const coordinator = await coordinatorFor(forwarding, writing, endMs, lost)
    if (response.destroyed) return
    const verdict = coordinator.kind === 'here' ? await here(coordinator.engine) : await elsewhere(forwarding, coordinator, writing)
    if (verdict.kind === 'answered' || response.destroyed) return
    if (verdict.kind === 'unknown') lost = verdict.error
    if ((lost !== undefined && !isRepeatable) || clock.monotonicMs() + wait >= endMs) throw refusal(writing, lost, `no node took the write: ${verdict.kind === 'notTaken' ? verdict.reason : ''}`)
    await clock.sleep(wait)
  }
}

export function isForwarded({ headers }: IncomingMessage): boolean {
  return headers[forwardedHeader] !== undefined
}

/** What was handed on once is answered by this node or by nobody. */
async function coordinatorFor({ cluster, clock }: Forwarding, writing: WritingRequest, endMs: number, lost: LsmtError | undefined): Promise<CoordinatorPlace> {
  let coordinator: CoordinatorPlace
  try {
    coordinator = await cluster.coordinator(Math.max(0, endMs - clock.monotonicMs()))
  } catch (error) {
    throw error instanceof LsmtError && error.code === '57P03' ? refusal(writing, lost, error.message) : error
  }
  if (coordinator.kind === 'there' && isForwarded(writing.request)) throw refusal(writing, lost, `node '${coordinator.node}' coordinates writes, not this one`)
  return coordinator
}

/** What became of a request that nobody answered; whoever handed it on hears it by a header. */
function refusal({ request, response }: WritingRequest, lost: LsmtError | undefined, message: string): LsmtError {
  if (lost === undefined) {
    markNotTaken(request, response)
    return new LsmtError('57P03', message, { hint: 'nothing was done; try again' })
  }
  if (isForwarded(request)) response.setHeader(unknownHeader, 'true')
  return lost
}

export function markNotTaken(request: IncomingMessage, response: ServerResponse): void {
  if (isForwarded(request)) response.setHeader(notTakenHeader, 'true')
}

async function elsewhere({ cluster, peers, counts }: Forwarding, to: Elsewhere, { request, response, body }: WritingRequest): Promise<Verdict> {
  const verdict = await handOn(peers, to, handedOf(cluster.nodeId, request, response, body), response)
  counts[verdict.kind]++
  return verdict.kind === 'notTaken' ? { ...verdict, reason: `node '${to.node}': ${verdict.reason}` } : verdict
}

function handedOf(nodeId: string, request: IncomingMessage, response: ServerResponse, body: HandedBody): Handed {
  const length = body.kind === 'whole' ? String(body.bytes.length) : request.headers['content-length']
  const headers = [...requestHeaders(request.rawHeaders), ...(length === undefined ? [] : ['content-length', length]), forwardedHeader, nodeId, requestIdHeader, requestIdOf(response)]
  return { method: request.method!, path: request.url!, headers, body }
}
