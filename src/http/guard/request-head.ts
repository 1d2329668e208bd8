/** Heads of requests that are no honest HTTP: too many headers, no host, or two of one that says where a request goes or who sent it. */
import type { IncomingMessage } from 'node:http'
import { LsmtError } from '../../errors.ts'

/** Node keeps the first of several; who stands in between might have gone by the last. */
const single = ['host', 'authorization', 'content-type', 'x-request-id', 'idempotency-key']

/** 54000 or 22023. */
export function checkRequestHead({ rawHeaders, headers, httpVersion }: IncomingMessage, headersMax: number): void {
  if (rawHeaders.length > 2 * headersMax) throw new LsmtError('54000', `the request has more than ${headersMax} headers`)
  if (headers.host === undefined && httpVersion === '1.1') throw new LsmtError('22023', 'the request has no header host')
  if (rawHeaders.length / 2 === Object.keys(headers).length) return
  for (const name of single) {
    let count = 0
    for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]!.length === name.length && rawHeaders[index]!.toLowerCase() === name) count++
    if (count > 1) throw new LsmtError('22023', `the request has more than one header ${name}`)
  }
}
