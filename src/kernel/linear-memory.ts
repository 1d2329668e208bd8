/**
 * Linear memory: the one address space that kernels (WebAssembly or JavaScript, on the serving thread
 * or on a worker) read and write. It is reserved at its full size once and never grows, so views on it
 * are never detached and addresses (plain numbers, here `Pointer`) stay valid on every thread.
 * Pages that were never touched cost no resident memory.
 */
import { LsmtError } from '../errors.ts'

/** A byte address in linear memory. 0 means 'none'. */
export type Pointer = number

export interface LinearMemory {
  readonly wasm: WebAssembly.Memory
  readonly byteLength: number
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly f64: Float64Array
  readonly i64: BigInt64Array
  readonly u64: BigUint64Array
  readonly view: DataView
  /** The same bytes as a Buffer, for its fast text methods (`utf8Write`, `latin1Slice`, `utf8Slice`). */
  readonly buffer: Buffer
}

const pageBytes = 65_536

/** Reserves a shared linear memory of at least `byteLength` bytes. */
export function reserveLinearMemory(byteLength: number): LinearMemory {
  const pages = Math.ceil(byteLength / pageBytes)
  try {
    return viewLinearMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }))
  } catch (cause) {
    throw new LsmtError('53200', `cannot reserve ${pages * pageBytes} bytes of WebAssembly memory; lower the kernel memory setting`, {}, cause)
  }
}

/** Views on a memory that another thread reserved. */
export function viewLinearMemory(wasm: WebAssembly.Memory): LinearMemory {
  const bytes = wasm.buffer
  return {
    wasm,
    byteLength: bytes.byteLength,
    u8: new Uint8Array(bytes),
    u16: new Uint16Array(bytes),
    u32: new Uint32Array(bytes),
    i32: new Int32Array(bytes),
    f64: new Float64Array(bytes),
    i64: new BigInt64Array(bytes),
    u64: new BigUint64Array(bytes),
    view: new DataView(bytes),
    buffer: Buffer.from(bytes),
  }
}

/** Zeros, from a multiple of 8 on. Of shared memory a typed array is filled element by element, so that by bytes it takes several times as long. */
export function clearMemory({ u8, f64 }: LinearMemory, address: Pointer, byteLength: number): void {
  const end = address + byteLength, wordsEnd = end >>> 3
  f64.fill(0, address >>> 3, wordsEnd)
  if (end % 8 !== 0) u8.fill(0, Math.max(address, 8 * wordsEnd), end)
}
