/** Who a server serves, as its flags say, and the files that this stands in. */
import { LsmtError } from '../../errors.ts'
import type { Clients } from '../../http/guard/clients.ts'
import { isLoopbackName } from '../../http/guard/same-site.ts'
import { parseTokens } from '../../http/guard/tokens.ts'
import type { Token } from '../../http/guard/tokens.ts'
import type { Certificate } from '../../http/listener.ts'
import { isSet, readNamed } from './given-file.ts'
import type { ServeFlags } from './serve-flags.ts'

type AccessFlags = Pick<ServeFlags, 'listen' | 'auth' | 'authTokenFile' | 'tlsCert' | 'tlsKey'>

export interface ServedAccess {
  readonly clients: Clients
  readonly certificate: Certificate | undefined
  /** Reads the files anew: tokens count from then on, the certificate is the caller's to use. Rejects, and changes nothing, when one of them is not in order. Undefined when there is no file. */
  readonly reload: (() => Promise<Certificate | undefined>) | undefined
}

/** 22023 for flags that contradict each other, and for an address that others reach while everyone would be served. */
export async function servedAccess(flags: AccessFlags, tokenVariable: string | undefined): Promise<ServedAccess> {
  const { authTokenFile, tlsCert } = flags
  checkAccessFlags(flags, tokenVariable)
  const certificate = await readCertificate(flags)
  let tokens = await readTokens(authTokenFile, tokenVariable)
  const clients: Clients = tokens.length > 0 ? { kind: 'tokens', current: () => tokens } : { kind: flags.auth ? 'local' : 'all' }
  const reload = async (): Promise<Certificate | undefined> => {
    const [newTokens, newCertificate] = await Promise.all([readTokens(authTokenFile, tokenVariable), readCertificate(flags)])
    tokens = newTokens
    return newCertificate
  }
  return { clients, certificate, reload: authTokenFile === undefined && tlsCert === undefined ? undefined : reload }
}

function checkAccessFlags({ listen, auth, authTokenFile, tlsCert, tlsKey }: AccessFlags, tokenVariable: string | undefined): void {
  const hasTokens = authTokenFile !== undefined || isSet(tokenVariable)
  if (hasTokens && !auth) throw new LsmtError('22023', '--no-auth contradicts the tokens that are given: drop one of them')
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new LsmtError('22023', `${tlsCert === undefined ? '--tls-key' : '--tls-cert'} is given without ${tlsCert === undefined ? '--tls-cert' : '--tls-key'}: TLS needs both`)
  if (auth && !hasTokens && !isLoopbackName(listen.host)) {
    throw new LsmtError('22023', `${listen.host} is not a loopback address: give tokens by --auth-token-file or LSMT_AUTH_TOKEN, listen on 127.0.0.1, or give --no-auth to serve everyone who can connect`)
  }
}

async function readTokens(file: string | undefined, variable: string | undefined): Promise<readonly Token[]> {
  const named = isSet(variable) ? parseTokens(variable, 'LSMT_AUTH_TOKEN') : []
  return file === undefined ? named : [...named, ...parseTokens((await readNamed('--auth-token-file', file)).toString('latin1'), file)]
}

async function readCertificate({ tlsCert, tlsKey }: AccessFlags): Promise<Certificate | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  const [cert, key] = await Promise.all([readNamed('--tls-cert', tlsCert), readNamed('--tls-key', tlsKey)])
  return { cert, key }
}
