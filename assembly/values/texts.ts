/** Copies the texts that `count` refs name one after the other; returns their bytes. */
import { copyBytes } from './encode'

export function packTexts(refs: usize, count: u32, into: usize, ends: usize, endBefore: u32): u32 {
  let at = into
  for (let row: u32 = 0; row < count; row++) {
    const ref = refs + (<usize>row << 3)
    const byteLength = <usize>load<u32>(ref, 4)
    copyBytes(at, load<u32>(ref), byteLength)
    at += byteLength
    store<u32>(ends + (<usize>row << 2), endBefore + <u32>(at - into))
  }
  return <u32>(at - into)
}
