/** Which headers go on with a request, or an answer, that is handed on: all but those about the connection they came by. */

/** Names the node that hands a request on; who gets such a one answers it, and hands it on to nobody. */
export const forwardedHeader = 'lsmt-forwarded-by'
/** Stands in an answer that tells that nothing was done: the request may go elsewhere. */
export const notTakenHeader = 'lsmt-not-taken'
/** Stands in one that tells that nobody knows: the request may go elsewhere if it takes effect once however often it is sent. */
export const unknownHeader = 'lsmt-outcome-unknown'

const ofConnection: readonly string[] = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings']
/** Said anew for the other node. The origin of a request was judged here, by the host that it named. */
const saidAnew: readonly string[] = ['host', 'expect', 'origin', 'content-length', 'x-request-id', forwardedHeader]
/** Of answers: each server has its own. */
const ofServer: readonly string[] = ['date', notTakenHeader, unknownHeader]

/** Names and values in turn, as `rawHeaders` has them. */
export function requestHeaders(rawHeaders: readonly string[]): string[] {
  return without(rawHeaders, saidAnew)
}

export function answerHeaders(rawHeaders: readonly string[]): string[] {
  return without(rawHeaders, ofServer)
}

function without(rawHeaders: readonly string[], more: readonly string[]): string[] {
  const dropped = new Set([...ofConnection, ...more, ...namedByConnection(rawHeaders)])
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!dropped.has(rawHeaders[index]!.toLowerCase())) kept.push(rawHeaders[index]!, rawHeaders[index + 1]!)
  }
  return kept
}

/** A sender lists here what is for the next on the way only. */
function namedByConnection(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 && name.toLowerCase() === 'connection' ? rawHeaders[index + 1]!.split(',').map((each) => each.trim().toLowerCase()) : []))
}
