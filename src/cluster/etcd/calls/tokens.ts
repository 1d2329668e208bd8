/** The token of a user, got with name and password, and got again when members no longer know it. */
import type { Fields } from '../wire/fields.ts'
import type { Verdict } from './verdict.ts'

export type Headers = Readonly<Record<string, string>>

export interface Tokens {
  /** `post` asks for a new token, if one is needed. What is not 'done' is that request's verdict. */
  headers(post: PostAuthenticate): Promise<{ readonly kind: 'done'; readonly headers: Headers } | Exclude<Verdict, { readonly kind: 'done' }>>
  /** The next request is not to have these any more. */
  renew(stale: Headers): void
  readonly hasUser: boolean
}

export type PostAuthenticate = (path: string, body: Fields) => Promise<Verdict>

type TokenOutcome = Awaited<ReturnType<Tokens['headers']>>

const noHeaders: Headers = {}

export function createTokens(user: { readonly name: string; readonly password: string } | undefined): Tokens {
  /** One request for a token at a time, for all who wait. */
  let asking: Promise<TokenOutcome> | undefined
  let current: Headers | undefined = user === undefined ? noHeaders : undefined

  async function authenticate(post: PostAuthenticate): Promise<TokenOutcome> {
    const verdict = await post('auth/authenticate', { name: user?.name, password: user?.password })
    if (verdict.kind === 'refused' && verdict.reason === 'auth-off') current = noHeaders
    else if (verdict.kind !== 'done') return verdict
    else if (typeof verdict.answer['token'] === 'string') current = { authorization: verdict.answer['token'] }
    else return { kind: 'untaken', why: 'etcd gave no token' }
    return { kind: 'done', headers: current }
  }

  return {
    hasUser: user !== undefined,
    async headers(post) {
      if (current !== undefined) return { kind: 'done', headers: current }
      asking ??= authenticate(post).finally(() => { asking = undefined })
      return asking
    },
    renew(stale) {
      if (user !== undefined && current === stale) current = undefined
    },
  }
}
