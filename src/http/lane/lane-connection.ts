/**
 * One connection in the lane. It reads a request, has it answered, and reads the next: what arrives meanwhile waits. The
 * first request that is not of the lane ends its time here, with all bytes that were not answered.
 */
import type { Socket } from 'node:net'
import type { FormatName } from '../format/choose-format.ts'
import type { Access } from '../guard/tokens.ts'
import { LaneReply } from './lane-reply.ts'
import type { Answering } from './lane-reply.ts'
import type { LaneHead } from './lane-head.ts'

/** A request whose bytes are here. */
export interface LaneRequest {
  readonly head: LaneHead
  readonly name: FormatName
  readonly access: Access
  readonly body: Buffer
}

/** What all connections of the lane stand on. */
export interface LaneFloor {
  readonly monotonicMs: () => number
  readonly date: Answering['date']
  readonly keepAlive: string
  /** Bytes that begin a request. `half`: the rest of its body is missing; undefined: it is none of the lane. */
  read(bytes: Buffer): LaneRequest | 'half' | undefined
  /** Its id. False when it cannot be taken now. */
  begin(request: LaneRequest): string | false
  answer(request: LaneRequest, reply: LaneReply): void
  /** It is over: answered whole, or its client is gone. */
  over(requestId: string, status: number, startMs: number, whole: boolean): void
  /** The connection is Node's from now on, which reads `bytes` first. */
  handOver(connection: LaneConnection, bytes: Buffer | undefined): void
  /** The client closed its side in the middle of a request. */
  brokenOff(socket: Socket): void
  /** It is closed. */
  closed(connection: LaneConnection): void
  /** See `HttpLimits`. */
  readonly stalledTimeoutMs: number
  stalled(socket: Socket): void
}

/** Kept of what arrives while a request is answered; more waits outside. */
const waitingBytesMax = 64 * 1024

/** `new`: nothing has come yet. `rest`: a request has come but for the rest of its body. */
type State = 'new' | 'idle' | 'rest' | 'busy'

export class LaneConnection implements Answering {
  readonly socket: Socket
  readonly date: Answering['date']
  readonly keepAlive: string
  state: State = 'new'
  /** Of the state; while busy, of the request. */
  sinceMs: number
  /** What has arrived and was not taken. */
  bytes: Buffer | undefined = undefined
  private readonly floor: LaneFloor
  private reply: LaneReply | undefined = undefined

  constructor(floor: LaneFloor, socket: Socket) {
    this.floor = floor
    this.socket = socket
    this.date = floor.date
    this.keepAlive = floor.keepAlive
    this.sinceMs = floor.monotonicMs()
    socket.on('data', this.onData).on('end', this.onEnd).on('close', this.onClose).on('error', this.onError)
  }

  /** Listens no more. */
  leave(): void {
    this.socket.off('data', this.onData).off('end', this.onEnd).off('close', this.onClose).off('error', this.onError)
  }

  streams(): void {
    this.socket.setTimeout(this.floor.stalledTimeoutMs)
    this.socket.on('timeout', this.onTimeout)
  }

  answered(status: number, closes: boolean): void {
    const { socket } = this
    this.over(status, true)
    if (socket.timeout !== undefined && socket.timeout > 0) socket.setTimeout(0).off('timeout', this.onTimeout)
    if (closes) socket.destroySoon()
    else this.next()
  }

  private next(): void {
    const { socket, bytes } = this
    this.enter('idle')
    this.bytes = undefined
    if (socket.isPaused()) socket.resume()
    if (bytes !== undefined) this.take(bytes)
  }

  private enter(state: State): void {
    this.state = state
    this.sinceMs = this.floor.monotonicMs()
  }

  private take(bytes: Buffer): void {
    const { floor, socket } = this
    const request = socket.writableNeedDrain ? undefined : floor.read(bytes)
    if (request === 'half' && this.state !== 'rest') {
      this.bytes = bytes
      this.enter('rest')
      return
    }
    const requestId = typeof request === 'object' && floor.begin(request)
    if (typeof requestId !== 'string' || typeof request !== 'object') {
      floor.handOver(this, bytes)
      return
    }
    this.enter('busy')
    this.reply = new LaneReply(this, requestId, request.head.headers['accept-encoding'])
    floor.answer(request, this.reply)
  }

  private over(status: number, whole: boolean): void {
    const { reply } = this
    if (reply === undefined) return
    this.reply = undefined
    this.floor.over(reply.requestId, status, this.sinceMs, whole)
  }

  private readonly onData = (chunk: Buffer): void => {
    const bytes = this.bytes === undefined ? chunk : Buffer.concat([this.bytes, chunk])
    this.bytes = undefined
    if (this.state !== 'busy') {
      this.take(bytes)
      return
    }
    this.bytes = bytes
    if (bytes.length >= waitingBytesMax) this.socket.pause()
  }

  /** As with Node, who closes its side while it waits for an answer is gone. */
  private readonly onEnd = (): void => {
    if (this.state === 'rest') this.floor.brokenOff(this.socket)
    else this.socket.end()
  }

  private readonly onClose = (): void => {
    const { reply } = this
    this.over(200, false)
    reply?.gone()
    this.floor.closed(this)
  }

  private readonly onError = (): void => {
    // It is closed next.
  }

  private readonly onTimeout = (): void => {
    // Otherwise the silence is ours.
    if (this.socket.writableLength > 0) this.floor.stalled(this.socket)
  }
}
