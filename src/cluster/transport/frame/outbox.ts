/**
 * What is to be sent over one connection. All that one turn of the event loop sends leaves in one write at its end. What
 * is small and urgent goes before pieces of streams, and the socket is given only so much at a time that it never has to
 * wait long behind them.
 */
import type { Duplex } from 'node:stream'
import { violation } from './frame.ts'
import type { OutgoingFrame } from './frame.ts'

/** With this much in its buffer the socket gets no more. */
const socketBytesMax = 256 * 1024
/** Buffers up to this size are joined, larger ones go as they are. */
const joinedBytesMax = 4 * 1024

interface Bulk {
  readonly frame: OutgoingFrame
  readonly taken: () => void
}

export class Outbox {
  writeCount = 0
  byteCount = 0
  readonly #socket: Duplex
  readonly #queueBytesMax: number
  #urgent: OutgoingFrame[] = []
  #bulk: Bulk[] = []
  #waitingBytes = 0
  #isScheduled = false

  constructor(socket: Duplex, queueBytesMax: number) {
    this.#socket = socket
    this.#queueBytesMax = queueBytesMax
    socket.on('drain', () => this.flush())
  }

  /** What was given to it and has not left this process. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#socket.writableLength
  }

  /** Takes a frame that may be refused; false: the queue is full, and nothing was taken. An empty queue takes any. */
  offer(frame: OutgoingFrame): boolean {
    const { queuedBytes } = this
    if (queuedBytes > 0 && queuedBytes + frame.byteLength > this.#queueBytesMax) return false
    this.#add(frame)
    return true
  }

  /** Takes a frame that must go. 08P01 when so much waits that the other side cannot be reading. */
  push(frame: OutgoingFrame): void {
    if (this.queuedBytes > 2 * this.#queueBytesMax) throw violation(`the other side does not read: ${this.queuedBytes} bytes wait for it`)
    this.#add(frame)
  }

  /** A piece of a stream; `taken` is called when the socket has it, or will never have it. */
  pushBulk(frame: OutgoingFrame, taken: () => void): void {
    this.#bulk.push({ frame, taken })
    this.#waitingBytes += frame.byteLength
    this.#schedule()
  }

  /** Sends what it can now, instead of at the end of the turn. */
  flush(): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return
    const { frames, takings } = this.#takeNext()
    if (frames.length > 0) this.#write(frames)
    for (const taken of takings) taken()
  }

  /** Forgets all that waits. */
  clear(): void {
    const bulk = this.#bulk
    this.#urgent = []
    this.#bulk = []
    this.#waitingBytes = 0
    for (const { taken } of bulk) taken()
  }

  #add(frame: OutgoingFrame): void {
    this.#urgent.push(frame)
    this.#waitingBytes += frame.byteLength
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.flush()
    })
  }

  /** As many frames as the socket is to have now. */
  #takeNext(): { readonly frames: readonly OutgoingFrame[]; readonly takings: readonly (() => void)[] } {
    let bytes = this.#socket.writableLength
    const fits = ({ byteLength }: OutgoingFrame): boolean => {
      if (bytes >= socketBytesMax) return false
      bytes += byteLength
      this.#waitingBytes -= byteLength
      return true
    }
    const urgent = takeWhile(this.#urgent, fits)
    const bulk = this.#urgent.length > 0 ? [] : takeWhile(this.#bulk, ({ frame }) => fits(frame))
    return { frames: [...urgent, ...bulk.map(({ frame }) => frame)], takings: bulk.map(({ taken }) => taken) }
  }

  #write(frames: readonly OutgoingFrame[]): void {
    this.writeCount++
    this.#socket.cork()
    for (const buffer of joined(frames)) {
      this.byteCount += buffer.byteLength
      this.#socket.write(buffer)
    }
    this.#socket.uncork()
  }
}

/** Removes the first elements, as long as `fits` says so. */
function takeWhile<T>(queue: T[], fits: (element: T) => boolean): readonly T[] {
  let count = 0
  while (count < queue.length && fits(queue[count]!)) count++
  return queue.splice(0, count)
}

/** The buffers of all frames in their order, neighbouring small ones as one. */
function joined(frames: readonly OutgoingFrame[]): readonly Uint8Array[] {
  const buffers: Uint8Array[] = []
  let small: Uint8Array[] = []
  const join = (): void => {
    if (small.length > 0) buffers.push(small.length === 1 ? small[0]! : Buffer.concat(small))
    small = []
  }
  for (const { parts } of frames) {
    for (const part of parts) {
      if (part.byteLength > joinedBytesMax) {
        join()
        buffers.push(part)
      } else if (part.byteLength > 0) small.push(part)
    }
  }
  join()
  return buffers
}
