/**
 * One connection to another node, from the upgrade to its end: frames both ways, signs of life, and the handshake's time
 * limit. Whoever says nothing for too long by our own monotonic clock is taken for gone, whatever the socket thinks: a
 * cut cable, one that is cut in one direction, and a process that was stopped all look the same, and all end in time.
 */
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { encodeFrame, violation } from './frame/frame.ts'
import type { Frame, OutgoingFrame } from './frame/frame.ts'
import { createFrameReader } from './frame/frame-reader.ts'
import { Outbox } from './frame/outbox.ts'
import type { TransportSettings } from './settings.ts'

export interface LinkHandler {
  /** 08P01 ends the link; anything else that is thrown is a bug here, and is not caught. */
  receive(frame: Frame): void
  /** Called once. */
  ended(reason: LsmtError): void
}

export interface LinkStats {
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly queuedBytes: number
  readonly writes: number
  /** From a sign of life to its echo, the last time. */
  readonly roundTripMs: number | undefined
}

interface LinkOptions {
  readonly socket: Duplex
  readonly clock: Clock
  readonly settings: TransportSettings
  readonly handshake: LinkHandler
}

/** Of the handshake. */
const handshakeFrameBytesMax = 1024
const lastWordsMsMax = 500

export class Link {
  readonly outbox: Outbox
  readonly #socket: Duplex
  readonly #clock: Clock
  readonly #settings: TransportSettings
  readonly #heart: NodeJS.Timeout
  readonly #beganAtMs: number
  #handler: LinkHandler
  #isEstablished = false
  #isEnded = false
  #heardAtMs: number
  #tickedAtMs: number
  #bytesReceived = 0
  #roundTripMs: number | undefined

  constructor({ socket, clock, settings, handshake }: LinkOptions) {
    this.#socket = socket
    this.#clock = clock
    this.#settings = settings
    this.#handler = handshake
    this.#beganAtMs = this.#heardAtMs = this.#tickedAtMs = clock.monotonicMs()
    this.outbox = new Outbox(socket, settings.queueBytesMax)
    this.#heart = setInterval(() => this.#beat(), settings.heartbeatMs)
    const reader = createFrameReader(() => (this.#isEstablished ? settings.frameBytesMax : handshakeFrameBytesMax), (frame) => this.#receive(frame))
    socket.on('data', (chunk: Uint8Array) => {
      if (this.#isEnded) return
      this.#heardAtMs = clock.monotonicMs()
      this.#bytesReceived += chunk.byteLength
      this.#guarded(() => reader.push(chunk))
    })
    socket.on('error', (error) => this.end(new LsmtError('08006', error.message, {}, error)))
    // Sockets of an HTTP server stay half open when the other side has ended.
    socket.on('end', () => this.end(new LsmtError('08006', 'the other side closed the connection')))
    socket.on('close', () => this.end(new LsmtError('08006', 'the connection was closed')))
  }

  /** Sends a frame that must go. */
  push(frame: OutgoingFrame): void {
    if (!this.#isEnded) this.#guarded(() => this.outbox.push(frame))
  }

  /** The handshake is over: frames may be larger, and go to `handler`. */
  establish(handler: LinkHandler): void {
    this.#isEstablished = true
    this.#handler = handler
  }

  end(reason: LsmtError): void {
    if (this.#isEnded) return
    this.#finish(reason)
    this.#socket.destroy()
  }

  /** Sends `last` before it ends, if the other side takes it soon. */
  endWith(last: OutgoingFrame, reason: LsmtError): void {
    if (this.#isEnded) return
    this.push(last)
    this.outbox.flush()
    this.#finish(reason)
    // What still comes is read and dropped, so that the kernel does not reset the connection before the last frame is read.
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), lastWordsMsMax)
  }

  stats(): LinkStats {
    const { queuedBytes, byteCount, writeCount } = this.outbox
    return { bytesReceived: this.#bytesReceived, bytesSent: byteCount, queuedBytes, writes: writeCount, roundTripMs: this.#roundTripMs }
  }

  #receive(frame: Frame): void {
    if (this.#isEnded) return
    const { kind } = frame
    if (this.#isEstablished && kind === 'ping') this.push(encodeFrame('pong', 0, [signOf(frame)]))
    else if (this.#isEstablished && kind === 'pong') this.#roundTripMs = this.#clock.monotonicMs() - Buffer.from(signOf(frame)).readDoubleLE(0)
    else this.#handler.receive(frame)
  }

  /** Runs what a peer's fault may make fail, which ends the link. */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '08P01') throw error
      this.end(error)
    }
  }

  #beat(): void {
    const { heartbeatMs, handshakeMsMax, silentMsMax } = this.#settings
    const nowMs = this.#clock.monotonicMs()
    // While this process did not run it could not hear anybody: that is not their silence.
    const pausedMs = Math.max(0, nowMs - this.#tickedAtMs - 2 * heartbeatMs)
    this.#heardAtMs = Math.min(nowMs, this.#heardAtMs + pausedMs)
    this.#tickedAtMs = nowMs
    const silentMs = nowMs - this.#heardAtMs
    if (!this.#isEstablished && nowMs - this.#beganAtMs > handshakeMsMax) this.end(violation(`it has not proved within ${handshakeMsMax} ms who it is`))
    else if (this.#isEstablished && silentMs > silentMsMax) this.end(new LsmtError('08006', `nothing was heard of it for ${Math.round(silentMs)} ms`))
    else if (this.#isEstablished) this.#sendSign(nowMs)
  }

  #sendSign(nowMs: number): void {
    const sign = Buffer.allocUnsafe(8)
    sign.writeDoubleLE(nowMs, 0)
    this.push(encodeFrame('ping', 0, [sign]))
  }

  #finish(reason: LsmtError): void {
    this.#isEnded = true
    clearInterval(this.#heart)
    this.outbox.clear()
    this.#handler.ended(reason)
  }
}

function signOf({ payload, kind }: Frame): Uint8Array {
  if (payload.byteLength !== 8) throw violation(`a frame (${kind}) of ${payload.byteLength} bytes instead of 8`)
  return payload
}
