/**
 * Reads that take long keep their files: while a snapshot is held for longer than `pinAfterMs`, a checkpoint in the bucket
 * names what it needs, so that the writer, which does not ask readers, leaves it. Made and then held against the newest
 * manifests once more: too late is too late, and the snapshot goes without. It expires by itself if this node dies, is
 * made anew before that, and goes with the last snapshot that needs it.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { randomId } from '../../lsm/claim/writer-claim.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import type { StoredCheckpoint } from '../../lsm/pins/checkpoint-file.ts'
import { dropCheckpoint, makeCheckpoint, writeCheckpoint } from '../../lsm/pins/checkpoints.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage } from '../../storage/storage.ts'

export interface PinsFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  /** 0: nothing is ever pinned. */
  readonly pinAfterMs: number
}

/** A snapshot as far as its files are concerned. Equal manifests are the same array. */
export interface Pinnable {
  readonly manifests: readonly ManifestState[]
  readonly takenMs: number
}

export interface SnapshotPins {
  add(snapshot: Pinnable): void
  delete(snapshot: Pinnable): void
  readonly counts: { readonly held: number; readonly trouble: string | undefined }
  /** Lets go of all. */
  close(): Promise<void>
}

interface Pin {
  /** undefined: it was too late. */
  readonly id: string | undefined
  readonly madeMs: number
}

interface PinsState {
  readonly floor: PinsFloor
  readonly live: Set<Pinnable>
  readonly pins: Map<readonly ManifestState[], Pin>
  readonly closing: AbortController
  loop: Promise<void> | undefined
  trouble: string | undefined
}

/** So long a checkpoint outlives a node that dies; it is made anew when half of it is over. */
const keepMs = 10 * 60_000

export function createSnapshotPins(floor: PinsFloor): SnapshotPins {
  const state: PinsState = { floor, live: new Set(), pins: new Map(), closing: new AbortController(), loop: undefined, trouble: undefined }
  return {
    add(snapshot) {
      if (floor.pinAfterMs === 0) return
      state.live.add(snapshot)
      state.loop ??= tendWhileNeeded(state)
    },
    delete: (snapshot) => void state.live.delete(snapshot),
    get counts() { return { held: [...state.pins.values()].filter(({ id }) => id !== undefined).length, trouble: state.trouble } },
    async close() {
      state.live.clear()
      state.closing.abort()
      await state.loop
    },
  }
}

/** Never rejects. Ends when nothing is held and nothing pinned. */
async function tendWhileNeeded(state: PinsState): Promise<void> {
  const { floor: { clock, pinAfterMs }, closing: { signal } } = state
  while (state.live.size > 0 || state.pins.size > 0) {
    await clock.sleep(pinAfterMs / 2, signal)
    try {
      await tend(state)
      state.trouble = undefined
    } catch (error) {
      state.trouble = error instanceof Error ? error.message : String(error)
      // It expires by itself.
      if (signal.aborted) break
    }
  }
  state.loop = undefined
}

async function tend({ floor, live, pins }: PinsState): Promise<void> {
  const nowMs = floor.clock.monotonicMs()
  for (const [manifests, pin] of pins) {
    if (pin.id !== undefined && !isNeeded(live, manifests)) await dropCheckpoint(floor.storage, pin.id)
    if (!isNeeded(live, manifests)) pins.delete(manifests)
    else if (pin.id !== undefined && nowMs - pin.madeMs > keepMs / 2) pins.set(manifests, await makeAnew(floor, manifests, pin.id))
  }
  for (const { manifests, takenMs } of live) {
    if (pins.has(manifests) || nowMs - takenMs < floor.pinAfterMs) continue
    const id = randomId(floor.random)
    const isInTime = await makeCheckpoint(floor.storage, floor.kernel, id, checkpointOf(floor, manifests), () => true)
    pins.set(manifests, { id: isInTime ? id : undefined, madeMs: nowMs })
  }
}

const isNeeded = (live: ReadonlySet<Pinnable>, wanted: readonly ManifestState[]): boolean => [...live].some(({ manifests }) => manifests === wanted)

/** The one before keeps the files until the new one stands. */
async function makeAnew(floor: PinsFloor, manifests: readonly ManifestState[], before: string): Promise<Pin> {
  const id = randomId(floor.random)
  await writeCheckpoint(floor.storage, floor.kernel, id, checkpointOf(floor, manifests))
  await dropCheckpoint(floor.storage, before)
  return { id, madeMs: floor.clock.monotonicMs() }
}

function checkpointOf({ clock }: PinsFloor, manifests: readonly ManifestState[]): StoredCheckpoint {
  const createdAtMicros = Number(clock.wallMicros())
  return { name: 'long reads of a read-only node', createdAtMicros, expiresAtMicros: createdAtMicros + keepMs * 1_000, manifests }
}

