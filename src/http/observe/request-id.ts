/** Ids of requests, by which an answer is found again in the logs: the client's own, or one that is made. */
import type { Random } from '../../runtime/random.ts'

export const requestIdHeader = 'x-request-id'

/** What may stand in a log and in a header as it is. */
const idPattern = /^[\w.:/+=@-]{1,128}$/

/** Takes the id that a client sent if it is one, otherwise makes one; those made by one server differ, and from those of others by chance. */
export function createRequestIds(random: Random): (sent: string | string[] | undefined) => string {
  const prefix = (random.nextU32() * 0x10_0000 + (random.nextU32() >>> 12)).toString(36)
  let count = 0
  return (sent) => (typeof sent === 'string' && idPattern.test(sent) ? sent : `${prefix}-${(++count).toString(36)}`)
}
