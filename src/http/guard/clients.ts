/** Who is served, and what they may do. */
import type { IncomingMessage } from 'node:http'
import { checkSameSite } from './same-site.ts'
import { accessOf } from './tokens.ts'
import type { Access, Token } from './tokens.ts'

export type Clients =
  /** Programs on this machine, and pages that this server itself served; they may do all. */
  | { readonly kind: 'local' }
  /** Whoever can connect; they may do all. */
  | { readonly kind: 'all' }
  /** Who has a token, as of now. */
  | { readonly kind: 'tokens'; readonly current: () => readonly Token[] }

/** 28000 or 42501 for a request that is not served. Whether the server is well may be asked by everyone. */
export function accessFor(clients: Clients, request: Pick<IncomingMessage, 'url' | 'headers'>): Access {
  switch (clients.kind) {
    case 'all':
      return 'write'
    case 'local':
      checkSameSite(request.headers)
      return 'write'
    case 'tokens':
      return isHealth(request.url) ? 'read' : accessOf(clients.current(), request.headers.authorization)
  }
}

function isHealth(url = ''): boolean {
  return /^\/health\/(?:live|ready)(?:\?|$)/.test(url)
}
