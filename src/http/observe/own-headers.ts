/**
 * What stands in the head of every answer, whatever it says: the id of its request, the client's own or one that is made,
 * by which it is found again in the logs; and at a node of a cluster the token by which reads at other nodes see what
 * this answer stands on.
 */
import type { ServerResponse } from 'node:http'
import type { Random } from '../../runtime/random.ts'

export const requestIdHeader = 'x-request-id'
export const sessionHeader = 'lsmt-session'

const idKey = Symbol('request id')
const tokenKey = Symbol('session token')

/** A header that is set before the others makes Node build the whole head the slow way, so they wait here for them. */
interface Named extends ServerResponse {
  [idKey]?: string
  [tokenKey]?: () => string
}

export function setRequestId(response: ServerResponse, id: string): void {
  (response as Named)[idKey] = id
}

/** As of when the head is written. */
export function setSessionToken(response: ServerResponse, token: () => string): void {
  (response as Named)[tokenKey] = token
}

export function requestIdOf(response: ServerResponse): string {
  return (response as Named)[idKey] ?? ''
}

/** For a head that somebody else writes. */
export function setOwnHeaders(response: ServerResponse): void {
  const fields = ownFields(response)
  for (let index = 0; index < fields.length; index += 2) response.setHeader(fields[index]!, fields[index + 1]!)
}

/** Names and values for a head that is written as a list; nothing when they are set already. */
export function ownFields(response: ServerResponse): readonly string[] {
  if (response.hasHeader(requestIdHeader)) return []
  const token = (response as Named)[tokenKey]
  return token === undefined ? [requestIdHeader, requestIdOf(response)] : [requestIdHeader, requestIdOf(response), sessionHeader, token()]
}

/** What may stand in a log and in a header as it is. */
const idPattern = /^[\w.:/+=@-]{1,128}$/

/** Takes the id that a client sent if it is one, otherwise makes one; those made by one server differ, and from those of others by chance. */
export function createRequestIds(random: Random): (sent: string | string[] | undefined) => string {
  const prefix = (random.nextU32() * 0x10_0000 + (random.nextU32() >>> 12)).toString(36)
  let count = 0
  return (sent) => (typeof sent === 'string' && idPattern.test(sent) ? sent : `${prefix}-${(++count).toString(36)}`)
}
