/** Linear memory that is freed all at once. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { slackBytes } from '../chunk-frames.ts'
import type { ObjectReader } from '../../../storage/storage.ts'

export interface Arena {
  allocate(byteLength: number): Pointer
  free(): void
}

export function createArena({ heap }: Kernel): Arena {
  const owned: Pointer[] = []
  return {
    allocate(byteLength) {
      const address = heap.allocate(byteLength + slackBytes)
      owned.push(address)
      return address
    },
    free() {
      for (const address of owned.splice(0)) heap.free(address)
    },
  }
}

/** Reads a range of a file into the arena. */
export async function readToArena(object: ObjectReader, { memory }: Kernel, arena: Arena, byteOffset: number, byteLength: number): Promise<Pointer> {
  const address = arena.allocate(byteLength)
  await object.read(memory.u8.subarray(address, address + byteLength), byteOffset)
  return address
}
