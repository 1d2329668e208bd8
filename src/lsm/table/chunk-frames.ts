/** The frames of the chunk cache: one number a cached chunk, and all that is known of it in arrays by that number. */

/** Bytes that kernels may read past the end of a chunk: all memory that holds one has them. */
export const slackBytes = 16

/** A slot of the cache that holds one chunk; 0 = none. */
export type Frame = number

/** The cached chunks of one open file: frame numbers by chunk index. Only the cache writes it. */
export interface CachedFile {
  readonly frames: Uint32Array
  /** Called with the index of each that may have moved or left, or has lost its mark: addresses of chunks that were looked up, and marked, are good until then. */
  readonly onMoved: (index: number) => void
}

/** State of all frames, one element a frame; frame 0 is never used. */
export interface Frames {
  addresses: Uint32Array
  bytes: Uint32Array
  pins: Int32Array
  referenced: Uint8Array
  /** Point reads that expanded a part of the chunk, or searched it for a key, since the hand passed last, up to 255. */
  partReads: Uint8Array
  /** Addresses of indexes of keys, which stand behind their chunks; 0: none. */
  keyIndexes: Uint32Array
  indexes: Uint32Array
  readonly owners: (CachedFile | undefined)[]
  readonly free: Frame[]
  count: number
  hand: Frame
}

export function createFrames(): Frames {
  const size = 1024
  return {
    addresses: new Uint32Array(size),
    bytes: new Uint32Array(size),
    pins: new Int32Array(size),
    referenced: new Uint8Array(size),
    partReads: new Uint8Array(size),
    keyIndexes: new Uint32Array(size),
    indexes: new Uint32Array(size),
    owners: [],
    free: [],
    count: 0,
    hand: 0,
  }
}

/** The number of a new frame; doubles the arrays when they are full. */
export function addFrame(frames: Frames): Frame {
  const frame = ++frames.count
  if (frame < frames.addresses.length) return frame
  const size = frames.addresses.length * 2
  frames.addresses = grown(frames.addresses, new Uint32Array(size))
  frames.bytes = grown(frames.bytes, new Uint32Array(size))
  frames.pins = grown(frames.pins, new Int32Array(size))
  frames.referenced = grown(frames.referenced, new Uint8Array(size))
  frames.partReads = grown(frames.partReads, new Uint8Array(size))
  frames.keyIndexes = grown(frames.keyIndexes, new Uint32Array(size))
  frames.indexes = grown(frames.indexes, new Uint32Array(size))
  return frame
}

function grown<T extends Uint32Array | Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}
