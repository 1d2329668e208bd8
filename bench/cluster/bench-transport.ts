import { defaultTransportSettings } from '../../src/cluster/transport/settings.ts'
import { createTransport } from '../../src/cluster/transport/transport.ts'
import type { Transport, TransportOptions } from '../../src/cluster/transport/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createLog } from '../../src/runtime/log.ts'
import { systemRandom } from '../../src/runtime/random.ts'

/** A node of the bench's cluster, whose log is silent. */
export function benchTransport(node: string, services: Pick<TransportOptions, 'onMessage' | 'requests' | 'streams'>): Transport {
  return createTransport({ cluster: 'bench', node, secret: Buffer.from('a secret of the bench'), settings: defaultTransportSettings, clock: systemClock, random: systemRandom, log: createLog('silent', () => {}), ...services })
}
