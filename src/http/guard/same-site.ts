/**
 * Without tokens, whoever reaches the loopback interface may do anything, and a web page in the user's browser reaches
 * it. So requests that a page of another site would send are refused: those with a foreign Origin, and those whose Host
 * is a name that somebody made resolve to this machine.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { LsmtError } from '../../errors.ts'

/** 42501 for a request that did not come from a client on this machine on purpose. */
export function checkSameSite(headers: IncomingHttpHeaders): void {
  const { host, origin } = headers
  if (host !== undefined && !isLoopbackHost(host)) throw new LsmtError('42501', `requests to the host "${host.slice(0, 100)}" are not served`, { hint: 'without tokens only localhost, 127.0.0.1 and [::1] are; or start with --no-auth' })
  if (origin !== undefined && origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`) throw new LsmtError('42501', `requests from pages of "${origin.slice(0, 100)}" are not served`)
}

function isLoopbackHost(host: string): boolean {
  return isLoopbackName(host.replace(/:\d+$/, ''))
}

/** A name or address that only this machine reaches. */
export function isLoopbackName(name: string): boolean {
  const bare = name.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return bare === 'localhost' || bare === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare)
}
