/** An idempotency key, waited for no longer than the caller wants. */
import { unlessEnded } from '../../../runtime/end-signal.ts'
import type { Engine, EngineRequest } from '../../../engine/engine.ts'
import type { CancelSignal } from '../../cancel.ts'

/** See `Engine.request`; 57014 when the caller gives up before it has the key. */
export async function takeRequest(engine: Engine, key: string, signal: CancelSignal | undefined): Promise<EngineRequest> {
  const taking = engine.request(key)
  return await unlessEnded(taking, signal).catch((error: unknown) => {
    // Who gave up while waiting gets the key in the end, and lets go of it.
    taking.then((taken) => taken.release(), () => {})
    throw error
  })
}
