/**
 * What a transaction writes above a snapshot on another node: its batches go there in their order, ahead of what is asked
 * next, and are applied there. That one of them failed shows at the next read, which the transaction does not survive.
 */
import { LsmtError } from '../../../errors.ts'
import { createDeferred } from '../../../runtime/deferred.ts'
import type { Deferred } from '../../../runtime/deferred.ts'
import type { Overlay } from '../../../lsm/tree.ts'
import { methods, writeOverlayQuestion } from '../wire/questions.ts'
import type { ViewQuestion } from '../wire/questions.ts'
import type { ClientState } from './client-state.ts'
import { written } from './peer.ts'
import type { RemoteLayer, RemoteView } from './remote-view.ts'

/** Bytes of batches that were sent and not confirmed; what is more waits. */
const unconfirmedBytesMax = 4 * 1024 * 1024

class Batches {
  /** How many were given to the transport, which keeps their order. */
  sentCount = 0
  failure: LsmtError | undefined
  readonly #client: ClientState
  readonly #node: string
  readonly #id: number
  readonly #belowId: number
  readonly #waiting: Uint8Array[] = []
  #unconfirmedBytes = 0
  #allSent: Deferred | undefined

  constructor(client: ClientState, node: string, id: number, belowId: number) {
    this.#client = client
    this.#node = node
    this.#id = id
    this.#belowId = belowId
  }

  add(batch: Uint8Array): void {
    if (this.failure !== undefined) return
    // The transport sends it from where it is, and its owner goes on to write its sequence into it.
    this.#waiting.push(Uint8Array.from(batch))
    this.#send()
  }

  /** undefined: all were sent. Throws why they cannot be. */
  allSent(): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure
    if (this.#waiting.length === 0) return undefined
    this.#allSent ??= createDeferred()
    return this.#allSent.promise
  }

  end(reason: LsmtError): void {
    this.failure ??= reason
    this.#waiting.length = 0
    this.#allSent?.reject(this.failure)
    this.#allSent = undefined
  }

  #send(): void {
    for (let batch = this.#waiting[0]; batch !== undefined && this.#hasRoom(batch); batch = this.#waiting[0]) {
      this.#waiting.shift()
      this.#sendOne(batch)
    }
    if (this.#waiting.length > 0) return
    this.#allSent?.resolve()
    this.#allSent = undefined
  }

  #hasRoom(batch: Uint8Array): boolean {
    return this.#unconfirmedBytes === 0 || this.#unconfirmedBytes + batch.byteLength <= unconfirmedBytesMax
  }

  #sendOne(batch: Uint8Array): void {
    const question = { id: this.#id, belowId: this.#belowId, batchesBefore: this.sentCount++ }
    this.#unconfirmedBytes += batch.byteLength
    const { channel, timeoutMs } = this.#client
    channel.request(this.#node, methods.overlay, [written((writer) => writeOverlayQuestion(writer, question)), batch], { timeoutMs }).then(
      () => {
        this.#unconfirmedBytes -= batch.byteLength
        this.#send()
      },
      (error: unknown) => this.end(brokenBy(error)),
    )
  }
}

/** What is said of a lack of room stands; all else may go well when the transaction is run again. */
function brokenBy(error: unknown): LsmtError {
  if (error instanceof LsmtError && (error.code === '53200' || error.code === '54000' || error.code === '40001')) return error
  return new LsmtError('40001', `what the transaction wrote could not be kept beside the data that it reads: ${error instanceof Error ? error.message : String(error)}`, { hint: 'run the transaction again' }, error)
}

/** Over a snapshot that is not released yet, and may be afterwards. */
export function openRemoteOverlay(client: ClientState, below: RemoteLayer): Overlay {
  const { node } = below, id = client.nextId()
  const batches = new Batches(client, node, id, below.id)
  const remote: RemoteView = {
    node: () => node,
    question(): ViewQuestion {
      if (batches.failure !== undefined) throw batches.failure
      return batches.sentCount === 0 ? below.remote.question() : { kind: 'snapshot', id, batchCount: batches.sentCount }
    },
    ready: () => batches.allSent(),
    tables: new Map(),
  }
  const snapshot: RemoteLayer = {
    sequence: below.sequence, node, id, remote,
    release() {
      const wasSent = batches.sentCount > 0 && batches.failure === undefined
      batches.end(new LsmtError('55000', 'the transaction has ended'))
      if (wasSent) client.nodes.letGo(node, id)
    },
  }
  return {
    snapshot,
    apply: (batch) => batches.add(batch),
  }
}
