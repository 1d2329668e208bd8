/** The body of an answer whose length is not known when it begins: chunks on a socket, as fast as the client reads them. */
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'

export class ChunkedBody extends Writable {
  private readonly socket: Socket
  /** It will not come to its end. */
  isBroken = false

  constructor(socket: Socket) {
    super({ decodeStrings: true })
    this.socket = socket
  }

  /** Ends the connection, instead of the body, when all that was written is sent. */
  breakOff(): void {
    this.isBroken = true
    this.end()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { socket } = this
    // A chunk without bytes would be the last one.
    if (chunk.length === 0) {
      done()
      return
    }
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    socket.write('\r\n', 'latin1')
    socket.uncork()
    if (socket.writableNeedDrain) socket.once('drain', done)
    else done()
  }

  override _final(done: () => void): void {
    if (this.isBroken) this.socket.destroySoon()
    else this.socket.write('0\r\n\r\n', 'latin1')
    done()
  }

  /** Who reads it sees that it breaks off. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.socket.destroy()
    done(error)
  }
}
