/** Replicas that give up nobody who is live: where all nodes share one busy process, all of them are silent at times. Who is live no more is gone as soon as ever. */
import { defaultTiming } from '../../../src/cluster/replication/timing.ts'
import type { ReplicationTiming } from '../../../src/cluster/replication/timing.ts'

export const patientTiming: ReplicationTiming = { ...defaultTiming, replaceAfterMs: 60_000, joinAfterMs: 60_000, resignAfterMs: 90_000, readMsMax: 20_000 }
