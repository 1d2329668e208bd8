import type { Duplex } from 'node:stream'
import { LsmtError } from '../../../errors.ts'

/** Resolves at the socket's next `event`; rejects when it fails or is closed before. */
export function socketEvent(socket: Duplex, event: 'connect' | 'secureConnect' | 'readable'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => (): void => {
      socket.off(event, happened)
      socket.off('error', failed)
      socket.off('end', closed)
      socket.off('close', closed)
      end()
    }
    const happened = settle(resolve)
    const failed = (error: Error): void => settle(() => reject(error))()
    const closed = settle(() => reject(new LsmtError('08006', 'it closed the connection')))
    socket.on(event, happened)
    socket.on('error', failed)
    socket.on('end', closed)
    socket.on('close', closed)
  })
}
