/** Ids of requests, by which an answer is found again in the logs: the client's own, or one that is made. */
import type { ServerResponse } from 'node:http'
import type { Random } from '../../runtime/random.ts'

export const requestIdHeader = 'x-request-id'

const idKey = Symbol('request id')

/** A header that is set before the others makes Node build the whole head the slow way, so the id waits here for them. */
interface Named extends ServerResponse {
  [idKey]?: string
}

export function setRequestId(response: ServerResponse, id: string): void {
  (response as Named)[idKey] = id
}

export function requestIdOf(response: ServerResponse): string {
  return (response as Named)[idKey] ?? ''
}

/** For a head that somebody else writes. */
export function setRequestIdHeader(response: ServerResponse): void {
  response.setHeader(requestIdHeader, requestIdOf(response))
}

/** Name and value for a head that is written as a list; nothing when they are set already. */
export function requestIdFields(response: ServerResponse): readonly string[] {
  return response.hasHeader(requestIdHeader) ? [] : [requestIdHeader, requestIdOf(response)]
}

/** What may stand in a log and in a header as it is. */
const idPattern = /^[\w.:/+=@-]{1,128}$/

/** Takes the id that a client sent if it is one, otherwise makes one; those made by one server differ, and from those of others by chance. */
export function createRequestIds(random: Random): (sent: string | string[] | undefined) => string {
  const prefix = (random.nextU32() * 0x10_0000 + (random.nextU32() >>> 12)).toString(36)
  let count = 0
  return (sent) => (typeof sent === 'string' && idPattern.test(sent) ? sent : `${prefix}-${(++count).toString(36)}`)
}
