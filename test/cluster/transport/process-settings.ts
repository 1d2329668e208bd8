/** Settings of the nodes that are processes: a machine that stands still for a second is not silence to them. */
import { defaultTransportSettings } from '../../../src/cluster/transport/settings.ts'
import type { TransportSettings } from '../../../src/cluster/transport/settings.ts'

export const processSettings: TransportSettings = { ...defaultTransportSettings, silentMsMax: 3_000 }
