/**
 * Which epoch each position of a log belongs to, as the short list of where epochs begin (KIP-101 calls it the leader
 * epoch cache). Positions are shard sequences: `startSequence` is the last one before the epoch's first entry.
 * The first element stands for the start of the log: it is the epoch of the position `startSequence` itself, whose entry
 * is already in files, and of what follows it up to the next element.
 */
export interface EpochStart {
  readonly epoch: number
  readonly startSequence: number
}

export type Epochs = readonly EpochStart[]

/** The end of a log, or any position in it. */
export interface LogEnd {
  readonly sequence: number
  readonly epoch: number
}

export const emptyEpochs: Epochs = [{ epoch: 0, startSequence: 0 }]

/** Epoch of the entry that ends at `sequence`, which is in the log or its start. */
export function epochAt(epochs: Epochs, sequence: number): number {
  for (let i = epochs.length - 1; i > 0; i--) if (epochs[i]!.startSequence < sequence) return epochs[i]!.epoch
  return epochs[0]!.epoch
}

/** From `startSequence` on all is of `epoch`. Epochs that began there or later had no entries and are forgotten. */
export function beginEpoch(epochs: Epochs, epoch: number, startSequence: number): Epochs {
  const last = epochs.at(-1)!
  if (last.epoch === epoch) return epochs
  return [...truncateEpochs(epochs, startSequence), { epoch, startSequence }]
}

export function truncateEpochs(epochs: Epochs, toSequence: number): Epochs {
  return epochs.at(-1)!.startSequence < toSequence || epochs.length === 1 ? epochs : epochs.filter(({ startSequence }, i) => i === 0 || startSequence < toSequence)
}

/** The log now starts at `startSequence`; what was before is in files. */
export function trimEpochs(epochs: Epochs, startSequence: number): Epochs {
  return [{ epoch: epochAt(epochs, startSequence), startSequence }, ...epochs.slice(1).filter((start) => start.startSequence >= startSequence)]
}

/** The greatest epoch that is not above `epoch`, and where it ends; undefined when the log starts later than that. */
export function endOfEpoch(epochs: Epochs, lastSequence: number, epoch: number): LogEnd | undefined {
  for (let i = epochs.length - 1; i >= 0; i--) {
    if (epochs[i]!.epoch <= epoch) return { epoch: epochs[i]!.epoch, sequence: epochs[i + 1]?.startSequence ?? lastSequence }
  }
  return undefined
}
