/** Constants in linear memory. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { PhysicalValue } from '../tree.ts'

/** Gives memory at a multiple of 8. */
export type Allocate = (byteLength: number) => Pointer

/** A number stands twice, as operands of vectors need it. */
export function putConstant({ memory }: Kernel, kind: PhysicalKind, value: PhysicalValue, allocate: Allocate): { readonly constant: Pointer; readonly constantBytes: number } {
  const byteLength = value instanceof Uint8Array ? value.length : 8
  const constant = allocate(Math.max(16, byteLength))
  if (value instanceof Uint8Array) memory.u8.set(value, constant)
  else if (kind === 'f64') memory.f64.fill(Number(value), constant >>> 3, (constant >>> 3) + 2)
  else memory.i64.fill(BigInt(value), constant >>> 3, (constant >>> 3) + 2)
  return { constant, constantBytes: byteLength }
}

/** Values one after the other; texts as refs. */
export function putConstants(kernel: Kernel, kind: PhysicalKind, values: readonly PhysicalValue[], allocate: Allocate): Pointer {
  const { memory } = kernel
  const at = allocate(8 * values.length)
  values.forEach((value, index) => {
    if (kind === 'f64') memory.f64[(at >>> 3) + index] = Number(value)
    else if (!(value instanceof Uint8Array)) memory.i64[(at >>> 3) + index] = BigInt(value)
    else {
      const { constant, constantBytes } = putConstant(kernel, kind, value, allocate)
      memory.u32[(at >>> 2) + 2 * index] = constant
      memory.u32[(at >>> 2) + 2 * index + 1] = constantBytes
    }
  })
  return at
}
