/** Where etcd is, who we are there, and how long anything may take; plain data. */
import { LsmtError } from '../../errors.ts'

export interface EtcdAddress {
  /** URLs of the members' client ports, such as 'https://10.0.0.1:2379'. Any of them may be down. */
  readonly endpoints: readonly string[]
  readonly user?: { readonly name: string; readonly password: string }
  /** For https endpoints; PEM texts. */
  readonly tls?: EtcdTls
  /** Tunables that are not to be the defaults. */
  readonly settings?: Partial<EtcdSettings>
}

export interface EtcdTls {
  /** Who signs the members' certificates, if not one of those that Node knows. */
  readonly ca?: string
  /** What we show, where members ask for it. Both or none. */
  readonly certificate?: string
  readonly key?: string
  /** The name in the members' certificates, where it is not the one in the endpoint. */
  readonly serverName?: string
}

export interface EtcdSettings {
  /** How long a call may take with all its attempts. */
  readonly deadlineMs: number
  /** How long one member may be silent before the next is asked. etcd elects anew after a second or so. */
  readonly attemptMs: number
  /** Between rounds over all members: steps that double, half of each by chance. */
  readonly backoffFirstMs: number
  readonly backoffMsMax: number
  /** One answer, or one message of a watch. */
  readonly messageBytesMax: number
  /** Keys in one answer to a range. */
  readonly pageKeysMax: number
  /** A watch that hears nothing for so long asks its member whether it is there. */
  readonly watchSilenceMs: number
  /** How much faster or slower our clock may run than a member's, as a part of the time. */
  readonly clockDriftMax: number
  /** How long before its computed end a lease is trusted no more. */
  readonly leaseMarginMs: number
}

export const defaultEtcdSettings: EtcdSettings = {
  deadlineMs: 5_000,
  attemptMs: 1_000,
  backoffFirstMs: 50,
  backoffMsMax: 500,
  messageBytesMax: 16 * 1024 * 1024,
  pageKeysMax: 1_000,
  watchSilenceMs: 2_000,
  clockDriftMax: 0.01,
  leaseMarginMs: 100,
}

/** The endpoints as bases of URLs, without a '/' at the end. 22023 for an address that cannot be one. */
export function checkedEndpoints({ endpoints, tls }: EtcdAddress): readonly string[] {
  if (endpoints.length === 0) throw new LsmtError('22023', 'no etcd endpoint is given', { hint: "give the URL of each member's client port" })
  if ((tls?.certificate === undefined) !== (tls?.key === undefined)) throw new LsmtError('22023', 'a client certificate for etcd needs its key, and a key its certificate')
  const bases = endpoints.map(baseOf)
  if (new Set(bases).size !== bases.length) throw new LsmtError('22023', `an etcd endpoint is given twice: ${bases.join(', ')}`)
  if (tls !== undefined && bases.some((base) => !base.startsWith('https:'))) throw new LsmtError('22023', `TLS is set up for etcd, and an endpoint is not https: ${bases.join(', ')}`)
  return bases
}

/** Endpoints are told in messages, so there are no credentials in them. */
function baseOf(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isBase = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isBase) throw new LsmtError('22023', `bad etcd endpoint ${JSON.stringify(endpoint)}: expected a URL such as http://127.0.0.1:2379, without path and credentials`)
  return url.origin
}
