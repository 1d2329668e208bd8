/**
 * Heads of requests that the lane takes. Nothing is taken that Node would refuse or read otherwise: no header twice, none
 * that is about the connection or the body's form, no byte that is not plain. All else is Node's to judge.
 */
import type { IncomingHttpHeaders } from 'node:http'

export interface LaneHead {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly bodyLength: number
}

const requestLine = /^POST (\/query(?:\?[\x21-\x7e]*)?) HTTP\/1\.1$/
/** Without tabs, of which Node takes some and refuses others. */
const headerLine = /^([!#$%&'*+.^_`|~\dA-Za-z-]+): *([\x20-\x7e]*)$/
const wholeNumber = /^(?:0|[1-9]\d{0,8})$/

/** Headers with which a request is not of the plain kind, whatever they say. */
const special: ReadonlySet<string> = new Set(['transfer-encoding', 'content-encoding', 'expect', 'upgrade', 'http2-settings', 'te', 'trailer', 'keep-alive', 'proxy-connection', '__proto__'])

/** Undefined for a request that is not of the lane. `text` ends with the empty line. */
export function readLaneHead(text: string, headersMax: number): LaneHead | undefined {
  const [first, ...lines] = text.slice(0, -4).split('\r\n')
  const url = requestLine.exec(first!)?.[1]
  if (url === undefined || lines.length > headersMax) return undefined
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const found = headerLine.exec(line)
    const name = found?.[1]!.toLowerCase()
    if (name === undefined || special.has(name) || Object.hasOwn(headers, name)) return undefined
    headers[name] = found![2]!.trimEnd()
  }
  const { host, connection = 'keep-alive', 'content-length': length = '' } = headers
  if (host === undefined || host === '' || connection.toLowerCase() !== 'keep-alive' || !wholeNumber.test(length)) return undefined
  return { url, headers, bodyLength: Number(length) }
}
