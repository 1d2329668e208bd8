/** What both ends of connections need of the node that they belong to. */
import type { SecureContext } from 'node:tls'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Random } from '../../runtime/random.ts'
import type { Identity } from './handshake/handshake.ts'
import type { TransportSettings } from './settings.ts'
import type { Told } from './told.ts'

export interface Node {
  readonly identity: Identity
  readonly settings: TransportSettings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly told: Told
  /** For connections to nodes whose addresses are `https:`. */
  readonly secureContext: SecureContext
  /** New with every call. */
  nonce(): Uint8Array
}
