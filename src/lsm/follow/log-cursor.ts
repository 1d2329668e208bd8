/** A place in a log stream that somebody else writes, and the objects that have come after it. */
import { LsmtError } from '../../errors.ts'
import { leadsTo, objectIds, readChainObject } from '../log/stream/stream-chain.ts'
import type { ChainObject, StreamFloor } from '../log/stream/stream-chain.ts'
import { noPutId } from '../log/stream/object-format.ts'

export interface LogCursor {
  /** The last object that was read; 0: none. */
  readonly id: number
  readonly putId: string
}

export const logStart: LogCursor = { id: 0, putId: noPutId }

const readsAtOnce = 16

/**
 * Objects behind the cursor, oldest first; 'lost' when some of them are gone, or were never part of the log: what an
 * overtaken writer created may stand where one that counted has been deleted, and only the newest object tells.
 */
export async function readBehind(floor: StreamFloor, cursor: LogCursor): Promise<readonly ChainObject[] | 'lost'> {
  const listed = await objectIds(floor)
  if ((listed.at(-1) ?? 0) < cursor.id) return 'lost'
  const ids = listed.filter((id) => id > cursor.id)
  if (ids.length > 0 && (ids[0] !== cursor.id + 1 || ids.at(-1) !== cursor.id + ids.length)) return 'lost'
  try {
    const objects: ChainObject[] = []
    for (let i = 0; i < ids.length; i += readsAtOnce) objects.push(...(await Promise.all(ids.slice(i, i + readsAtOnce).map((id) => readChainObject(floor, id)))))
    return isChain(cursor, objects) ? objects : 'lost'
  } catch (error) {
    if (error instanceof LsmtError && error.code === '58P01') return 'lost'
    throw error
  }
}

function isChain({ putId }: LogCursor, objects: readonly ChainObject[]): boolean {
  return objects.every((object, i) => (i === 0 ? object.header.previousPutId === putId : leadsTo(object, objects[i - 1]!)))
}

export function cursorAfter(objects: readonly ChainObject[], before: LogCursor): LogCursor {
  const last = objects.at(-1)?.header
  return last === undefined ? before : { id: last.id, putId: last.putId }
}
