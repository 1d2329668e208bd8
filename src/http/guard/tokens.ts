/**
 * Tokens: who has one of them may read, or read and write. Kept and compared as SHA-256 sums, each time with all of
 * them, so that the time a comparison takes tells nothing about any token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { LsmtError } from '../../errors.ts'

export type Access = 'read' | 'write'

export interface Token {
  readonly access: Access
  readonly sum: Buffer
}

/** Tokens are sent in headers: what is not visible ASCII could not be. */
const tokenPattern = /^[\x21-\x7e]+$/

/**
 * One token a line: `read:TOKEN`, `write:TOKEN`, or TOKEN alone, which may write. Empty lines and those that begin with #
 * count for nothing. 22023 for anything else, and when there is no token; `source` is where the text comes from.
 */
export function parseTokens(text: string, source: string): readonly Token[] {
  const tokens: Token[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#')) continue
    const [, access, token] = /^(?:(read|write):)?(.*)$/.exec(entry)!
    if (!tokenPattern.test(token!)) throw new LsmtError('22023', `line ${index + 1} of ${source} is no token`, { hint: 'one a line: read:TOKEN, write:TOKEN or TOKEN, of visible ASCII characters' })
    tokens.push({ access: access === 'read' ? 'read' : 'write', sum: sumOf(token!) })
  }
  if (tokens.length === 0) throw new LsmtError('22023', `there is no token in ${source}`, { hint: 'one a line: read:TOKEN, write:TOKEN or TOKEN' })
  return tokens
}

function sumOf(token: string): Buffer {
  return createHash('sha256').update(token, 'latin1').digest()
}

/** What the `Authorization` header of a request allows: `Bearer TOKEN`, or `Basic` with the token as its password. 28000 without a token that is known. */
export function accessOf(tokens: readonly Token[], authorization: string | undefined): Access {
  if (authorization === undefined) throw new LsmtError('28000', 'this server wants a token', { hint: 'send the header Authorization: Bearer TOKEN' })
  const sum = sumOf(sentToken(authorization))
  let access: Access | undefined
  for (const token of tokens) {
    if (timingSafeEqual(token.sum, sum) && access !== 'write') access = token.access
  }
  if (access === undefined) throw new LsmtError('28000', 'the token is not known')
  return access
}

function sentToken(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization) ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return credentials
    case 'basic': {
      const pair = Buffer.from(credentials, 'base64').toString('latin1')
      return pair.slice(pair.indexOf(':') + 1)
    }
    default:
      throw new LsmtError('28000', 'the Authorization header is not understood', { hint: 'send Authorization: Bearer TOKEN, or Basic with the token as password' })
  }
}
