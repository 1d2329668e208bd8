/**
 * The door to etcd, over the JSON gateway that its members serve beside gRPC ('/v3/…'). No call hangs: every one has a
 * deadline, every attempt at a member a shorter one, and what cannot be told (40003) is never guessed.
 */
import { LsmtError } from '../../errors.ts'
import { systemAlarms } from '../../runtime/alarms.ts'
import type { Alarms } from '../../runtime/alarms.ts'
import { systemClock } from '../../runtime/clock.ts'
import { sharedAbort } from '../../runtime/end-signal.ts'
import type { Clock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import type { Random } from '../../runtime/random.ts'
import { createCalls } from './calls/calls.ts'
import { createEndpoints } from './calls/endpoints.ts'
import { createMembers } from './calls/members.ts'
import type { CallEnvironment } from './calls/members.ts'
import { createTokens } from './calls/tokens.ts'
import { checkedEndpoints, defaultEtcdSettings } from './etcd-settings.ts'
import type { EtcdAddress } from './etcd-settings.ts'
import { createKv } from './kv/kv.ts'
import type { Kv } from './kv/kv.ts'
import { createSwap } from './kv/swap.ts'
import type { SwapKey } from './kv/swap.ts'
import { keepLease } from './lease/lease-keeper.ts'
import type { KeepRequest, KeptLease } from './lease/lease-keeper.ts'
import { createLeases } from './lease/leases.ts'
import type { Leases } from './lease/leases.ts'
import { createHttpTransport } from './transport/http-transport.ts'
import type { Transport } from './transport/transport.ts'
import { createWatch } from './watch/watch.ts'
import type { Watch } from './watch/watch.ts'

/** Errors: 08006 not reachable, and nothing was done; 40003 outcome unknown; 28000, 42501, 22023, 54000, 55000 refused. */
export interface EtcdClient extends Kv, Pick<Leases, 'grant' | 'revoke'> {
  readonly swap: SwapKey
  readonly watch: Watch
  /** Grants a lease and renews it until it is stopped, revoked or gone. */
  keepLease(request: KeepRequest): Promise<KeptLease>
  /** Ends calls, watches and renewals. */
  close(): void
}

/** What the real ones stand for by default. */
export interface EtcdDependencies {
  readonly transport?: Transport
  readonly clock?: Pick<Clock, 'monotonicMs'>
  readonly alarms?: Alarms
  readonly random?: Random
}

/** Connects to nothing yet: endpoints that are wrong show at the first call. 22023 for an address that cannot be one. */
export function createEtcdClient(address: EtcdAddress, dependencies: EtcdDependencies = {}): EtcdClient {
  const settings = { ...defaultEtcdSettings, ...address.settings }
  const { clock = systemClock, alarms = systemAlarms, random = systemRandom } = dependencies
  const transport = dependencies.transport ?? createHttpTransport({ tls: address.tls, messageBytesMax: settings.messageBytesMax })
  // Every call under way listens.
  const closing = sharedAbort()
  const environment: CallEnvironment = { transport, endpoints: createEndpoints(checkedEndpoints(address), random), settings, clock, alarms, random, closing: closing.signal }
  const members = createMembers(environment, createTokens(address.user))
  const calls = createCalls(environment, members)
  const leases = createLeases(calls, clock, random)
  const watch = createWatch(environment, members)
  return {
    ...createKv(calls, settings.pageKeysMax),
    grant: leases.grant,
    revoke: leases.revoke,
    watch,
    swap: createSwap(environment, calls, watch),
    keepLease: (request) => keepLease(environment, calls, leases, request),
    close() {
      closing.abort(new LsmtError('55000', 'the connection to etcd was closed'))
      transport.close()
    },
  }
}
