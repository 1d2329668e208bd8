/** Tar as POSIX has it (ustar): plain files, one after the other, so that any tool can look into a backup. */
import { LsmtError } from '../../errors.ts'

const blockBytes = 512

/** The header of a file; its bytes follow, filled up to a multiple of 512 with zeros. */
export function tarHeader(name: string, byteLength: number): Uint8Array {
  const header = Buffer.alloc(blockBytes)
  header.write(name, 0, 100, 'latin1')
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1')
  header.write(`${byteLength.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write(`${'0'.repeat(11)}\0`, 136, 'latin1')
  header.write('0', 156, 'latin1')
  header.write('ustar\0' + '00', 257, 'latin1')
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

export function tarPadding(byteLength: number): Uint8Array {
  return new Uint8Array(-byteLength & (blockBytes - 1))
}

/** What stands behind the last file. */
export const tarEnd = new Uint8Array(2 * blockBytes)

/** Of all bytes, those of the sum itself taken for blanks. */
function sumOf(header: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += header[at]!
  return sum
}

export interface TarEntry {
  readonly name: string
  readonly byteLength: number
  /** To be read to its end before the next entry is asked for. */
  read(): AsyncIterable<Uint8Array>
}

/** The files of an archive as it arrives. XX001 when it is none, or ends before its end. */
export async function* readTar(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = createSource(pieces)
  for (;;) {
    const header = Buffer.from(await source.take(blockBytes))
    if (header.every((byte) => byte === 0)) return
    const { name, byteLength } = readHeader(header)
    yield { name, byteLength, read: () => source.some(byteLength) }
    await source.take(-byteLength & (blockBytes - 1))
  }
}

function readHeader(header: Buffer): { readonly name: string; readonly byteLength: number } {
  const field = (from: number, to: number): string => header.toString('latin1', from, to).replace(/[\0 ].*$/s, '')
  if (Number.parseInt(field(148, 156), 8) !== sumOf(header) || field(257, 262) !== 'ustar') throw new LsmtError('XX001', 'the archive is damaged: a header of a file is none')
  return { name: field(0, 100), byteLength: Number.parseInt(field(124, 136), 8) }
}

interface Source {
  take(byteLength: number): Promise<Uint8Array>
  some(byteLength: number): AsyncIterable<Uint8Array>
}

function createSource(pieces: AsyncIterable<Uint8Array>): Source {
  const iterator = pieces[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array()
  const upTo = async (byteLength: number): Promise<Uint8Array> => {
    while (held.length === 0) {
      const next = await iterator.next()
      if (next.done === true) throw new LsmtError('XX001', 'the archive breaks off before its end')
      held = next.value
    }
    const taken = held.subarray(0, byteLength)
    held = held.subarray(taken.length)
    return taken
  }
  async function* some(byteLength: number): AsyncGenerator<Uint8Array> {
    for (let left = byteLength; left > 0; ) {
      const piece = await upTo(left)
      left -= piece.length
      yield piece
    }
  }
  return {
    some,
    async take(byteLength) {
      const parts: Uint8Array[] = []
      for await (const piece of some(byteLength)) parts.push(piece)
      return Buffer.concat(parts)
    },
  }
}
