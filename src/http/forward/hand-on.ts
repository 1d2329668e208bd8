/**
 * One attempt to have another node answer a request, as it came. It is known at every moment whether the other one can
 * have begun: a node that is lost before that has not taken the request, one that is lost afterwards and before its
 * answer leaves the outcome unknown.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { CoordinatorPlace } from '../../cluster/engine/serve/terms.ts'
import { LsmtError } from '../../errors.ts'
import { answerHeaders, notTakenHeader, unknownHeader } from './passed-headers.ts'
import type { Peers } from './peers.ts'

export type HandedBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Comes once, and not before it is asked for: after the other node has agreed to take the request (`100 Continue`). */
  | { readonly kind: 'streamed'; readonly begin: () => AsyncIterable<Uint8Array> }

export interface Handed {
  readonly method: string
  readonly path: string
  /** What the other node is to get, the body's length in it if it is known. */
  readonly headers: readonly string[]
  readonly body: HandedBody
}

export type Verdict =
  /** Or the client is gone, or its answer broke off. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'notTaken'; readonly reason: string }
  /** Why: the client is told so if it is not tried elsewhere. */
  | { readonly kind: 'unknown'; readonly error: LsmtError }

export type Elsewhere = Extract<CoordinatorPlace, { readonly kind: 'there' }>

/** To connect, and, before a body that comes once, to agree to take it. */
const connectMsMax = 2_000, agreeMsMax = 5_000
/** A node that does not coordinate any more often knows what has come of its statements, and says so. */
const graceMs = 500

/** Rejects with what the body fails with. */
export function handOn(peers: Peers, to: Elsewhere, handed: Handed, response: ServerResponse): Promise<Verdict> {
  const expect = handed.body.kind === 'streamed' ? ['expect', '100-continue'] : []
  const outgoing = peers.open({ url: to.url, method: handed.method, path: handed.path, headers: [...handed.headers, ...expect] })
  return new Promise((resolve, reject) => {
    const attempt = new Attempt(to.node, outgoing, response, { resolve, reject })
    const onClose = (): void => attempt.leave()
    const lost = (): void => attempt.lost('it does not coordinate writes any more')
    let grace: NodeJS.Timeout | undefined
    const onOver = (): void => {
      grace = setTimeout(lost, graceMs)
    }
    const slow = setTimeout(() => attempt.tooSlow(), handed.body.kind === 'streamed' ? agreeMsMax : connectMsMax)
    const unwatch = peers.watch(to.url, () => attempt.lost('it does not answer any more'))
    attempt.onEnd = () => {
      clearTimeout(slow)
      clearTimeout(grace)
      unwatch()
      to.over.removeEventListener('abort', onOver)
      response.off('close', onClose)
    }
    response.on('close', onClose)
    to.over.addEventListener('abort', onOver)
    if (to.over.aborted) onOver()
    attempt.send(handed.body)
  })
}

/** Ends once, by one of the two; `onEnd` is called before. */
class Attempt {
  onEnd: () => void = () => {}
  /** `mayHaveBegun`: the other node can have begun. `answering`: its answer is on its way to the client. */
  private state: 'unsent' | 'mayHaveBegun' | 'answering' | 'ended' = 'unsent'
  private incoming: IncomingMessage | undefined
  private readonly node: string
  private readonly outgoing: ClientRequest
  private readonly response: ServerResponse
  private readonly told: { readonly resolve: (verdict: Verdict) => void; readonly reject: (error: unknown) => void }

  constructor(node: string, outgoing: ClientRequest, response: ServerResponse, told: Attempt['told']) {
    this.node = node
    this.outgoing = outgoing
    this.response = response
    this.told = told
    outgoing.on('response', (incoming) => this.answer(incoming))
    outgoing.on('error', (error) => this.lost(error.message))
  }

  send(body: HandedBody): void {
    const { outgoing } = this
    if (body.kind === 'streamed') {
      outgoing.on('continue', () => {
        if (this.state !== 'unsent') return
        this.state = 'mayHaveBegun'
        sendPieces(outgoing, body.begin).catch((error: unknown) => this.end(() => this.told.reject(error)))
      })
      return
    }
    onConnected(outgoing, () => {
      if (this.state === 'unsent') this.state = 'mayHaveBegun'
    })
    outgoing.end(body.bytes)
  }

  tooSlow(): void {
    if (this.state === 'unsent') this.lost('it did not answer in time')
  }

  /** Nothing will come any more. */
  lost(reason: string): void {
    switch (this.state) {
      case 'unsent':
        this.end(() => this.told.resolve({ kind: 'notTaken', reason }))
        return
      case 'mayHaveBegun':
        this.end(() => this.told.resolve({ kind: 'unknown', error: unknownOutcome(this.node, reason) }))
        return
      case 'answering':
        // Who reads it sees that it breaks off.
        this.response.destroy()
        this.leave()
        return
      case 'ended':
        return
    }
  }

  /** The client is gone, or has its answer: what the other node still does for it ends. */
  leave(): void {
    this.end(() => this.told.resolve({ kind: 'answered' }))
  }

  private answer(incoming: IncomingMessage): void {
    if (this.state === 'ended') return
    this.incoming = incoming
    const isNotTaken = incoming.headers[notTakenHeader] !== undefined
    if (isNotTaken || incoming.headers[unknownHeader] !== undefined) {
      if (isNotTaken) this.state = 'unsent'
      // Where it breaks off does not matter.
      incoming.on('error', () => {}).on('close', () => this.lost('it does not coordinate writes any more')).resume()
      return
    }
    this.state = 'answering'
    const { response } = this
    const headers = [...answerHeaders(incoming.rawHeaders), ...(response.req.complete ? [] : ['connection', 'close'])]
    response.writeHead(incoming.statusCode!, headers)
    pipeline(incoming, response, () => this.leave())
  }

  private end(tell: () => void): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.onEnd()
    // A connection whose request and answer are complete is kept.
    if (!this.outgoing.writableFinished || this.incoming?.complete !== true) this.outgoing.destroy()
    tell()
  }
}

function onConnected(outgoing: ClientRequest, connected: () => void): void {
  outgoing.once('socket', (socket) => {
    if (outgoing.reusedSocket) connected()
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected)
  })
}

async function sendPieces(outgoing: ClientRequest, begin: () => AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of begin()) {
    if (outgoing.destroyed) return
    if (!outgoing.write(piece)) await roomIn(outgoing)
  }
  outgoing.end()
}

/** Or nobody takes more. */
function roomIn(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      outgoing.off('drain', settle)
      outgoing.off('close', settle)
      resolve()
    }
    outgoing.on('drain', settle)
    outgoing.on('close', settle)
    if (outgoing.destroyed) settle()
  })
}

function unknownOutcome(node: string, reason: string): LsmtError {
  return new LsmtError('40003', `node '${node}', which coordinates writes, was lost before it answered (${reason}): whether the statement took effect is not known`, { hint: 'with an Idempotency-Key it may be sent again; otherwise look whether it did' })
}
