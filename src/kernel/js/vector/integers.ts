/** 64-bit integers in linear memory as numbers where those are safe, otherwise as bigints. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

export type Integer = number | bigint

export interface Integers {
  read(address: Pointer): Integer
  /** A whole number or bigint of at most 64 bits. */
  write(address: Pointer, value: Integer): void
}

export function createIntegers({ u32, i32, i64 }: LinearMemory): Integers {
  return {
    read(address) {
      const word = address >>> 2
      const number = i32[word + 1]! * 0x1_0000_0000 + u32[word]!
      return Number.isSafeInteger(number) ? number : i64[address >>> 3]!
    },
    write(address, value) {
      if (typeof value === 'bigint') i64[address >>> 3] = value
      else {
        u32[address >>> 2] = value
        i32[(address >>> 2) + 1] = Math.floor(value / 0x1_0000_0000)
      }
    },
  }
}
