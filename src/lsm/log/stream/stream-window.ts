/**
 * The objects of a log while it is applied, so many bytes at a time. All shards go through them side by side, so each is
 * read again once at most, and not at all where the whole log fits.
 */
import { corruption } from '../../../errors.ts'
import { readChainObject } from './stream-chain.ts'
import type { ChainObject, StreamFloor } from './stream-chain.ts'
import type { LogObjectHeader } from './object-format.ts'

export interface StreamWindow {
  /** Keeps an object as far as there is room; what was offered first goes first. */
  offer(object: ChainObject): void
  /** 58P01 when it is gone, XX001 when it is another by now. */
  read(header: LogObjectHeader): Promise<ChainObject>
  clear(): void
  readonly counts: { readonly heldBytesMax: number; readonly readsAgain: number }
}

interface Held {
  readonly object: Promise<ChainObject>
  readonly byteLength: number
}

/** One object is kept whatever its size. */
export function createStreamWindow(floor: StreamFloor, bytesMax: number): StreamWindow {
  const held = new Map<number, Held>()
  const counts = { heldBytesMax: 0, readsAgain: 0 }
  let heldBytes = 0
  const hold = (id: number, byteLength: number, object: Promise<ChainObject>): void => {
    for (const [oldest, { byteLength: freed }] of held) {
      if (heldBytes + byteLength <= bytesMax) break
      held.delete(oldest)
      heldBytes -= freed
    }
    held.set(id, { object, byteLength })
    heldBytes += byteLength
    counts.heldBytesMax = Math.max(counts.heldBytesMax, heldBytes)
  }
  return {
    offer: (object) => hold(object.header.id, object.header.byteLength, Promise.resolve(object)),
    read(header) {
      const found = held.get(header.id)
      if (found !== undefined) return found.object
      counts.readsAgain++
      const object = readSame(floor, header)
      hold(header.id, header.byteLength, object)
      return object
    },
    clear() {
      held.clear()
      heldBytes = 0
    },
    counts,
  }
}

async function readSame(floor: StreamFloor, { id, putId }: LogObjectHeader): Promise<ChainObject> {
  const object = await readChainObject(floor, id)
  if (object.header.putId !== putId) throw corruption('log object', { file: object.name, byteOffset: 40, expected: `put id ${putId}`, actual: object.header.putId })
  return object
}
