/**
 * A port that is taken before there is a server for it: what a node must be sure of before others hear where it is.
 * Whoever connects meanwhile waits for the server.
 */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { listen } from './listener.ts'
import type { Address } from './listener.ts'

/** Those that wait. */
const waitingMax = 256

export class HeldPort {
  readonly #address: Address
  readonly #waiting: Socket[] = []
  #holder: Server | undefined

  constructor(address: Address) {
    this.#address = address
  }

  /** Rejects with 55006 when the port is in use, 22023 when the address is not there. */
  async hold(): Promise<void> {
    const holder = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      if (this.#waiting.length >= waitingMax) return void socket.destroy()
      // Of one that leaves before there is a server for it.
      socket.on('error', () => {})
      this.#waiting.push(socket)
    })
    await listen(holder, this.#address)
    this.#holder = holder
  }

  /** The server listens there, and has whoever waits. */
  async giveTo(server: Server): Promise<void> {
    const holder = this.#holder
    if (holder === undefined) return await listen(server, this.#address)
    this.#holder = undefined
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(holder, resolve)
    })
    for (const socket of this.#waiting.splice(0)) {
      if (socket.destroyed) continue
      server.emit('connection', socket)
      socket.resume()
    }
  }

  /** Unless a server has it. */
  async release(): Promise<void> {
    for (const socket of this.#waiting.splice(0)) socket.destroy()
    const holder = this.#holder
    this.#holder = undefined
    if (holder !== undefined) await new Promise<void>((resolve) => void holder.close(() => resolve()))
  }
}
