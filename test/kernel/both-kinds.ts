/** What every conformance suite starts from: the same memory size under either kind, and bytes carried in and out. */
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import type { KernelKind } from '../../src/settings.ts'

export const kinds: readonly KernelKind[] = ['wasm', 'js']
export const fullTests = process.env['LSMT_TEST_FULL'] === '1'

const MiB = 1024 * 1024

export function openTestKernel(kind: KernelKind, byteLength = 32 * MiB): Kernel {
  return openKernel(kind, reserveLinearMemory(byteLength))
}

export function putBytes({ heap, memory }: Kernel, bytes: Uint8Array): Pointer {
  const address = heap.allocate(bytes.length)
  memory.u8.set(bytes, address)
  return address
}

export function takeBytes({ memory }: Kernel, address: Pointer, byteLength: number): Uint8Array {
  return memory.u8.slice(address, address + byteLength)
}

/** Refs (u32 address, length pairs) to copies of `values`. */
export function putRefs(kernel: Kernel, values: readonly Uint8Array[]): Pointer {
  const refs = kernel.heap.allocate(8 * values.length)
  values.forEach((value, i) => {
    kernel.memory.u32[refs / 4 + 2 * i] = putBytes(kernel, value)
    kernel.memory.u32[refs / 4 + 2 * i + 1] = value.length
  })
  return refs
}

export function putI64(kernel: Kernel, values: readonly bigint[]): Pointer {
  const address = kernel.heap.allocate(8 * values.length)
  kernel.memory.i64.set(values, address / 8)
  return address
}

export function putF64(kernel: Kernel, values: readonly number[]): Pointer {
  const address = kernel.heap.allocate(8 * values.length)
  kernel.memory.f64.set(values, address / 8)
  return address
}

/** A bitmap rounded up to 8 bytes; bit = 1 where `bits` is true. */
export function putBits(kernel: Kernel, bits: readonly boolean[]): Pointer {
  const byteLength = Math.ceil(bits.length / 64) * 8
  const address = kernel.heap.allocate(byteLength)
  kernel.memory.u8.fill(0, address, address + byteLength)
  bits.forEach((bit, i) => {
    if (bit) kernel.memory.u8[address + (i >> 3)]! |= 1 << (i & 7)
  })
  return address
}

export function takeBits({ memory }: Kernel, address: Pointer, count: number): boolean[] {
  return Array.from({ length: count }, (_, i) => ((memory.u8[address + (i >> 3)]! >> (i & 7)) & 1) === 1)
}
