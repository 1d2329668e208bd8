/** Files as a stream: what is sent is what is read, and whatever is wrong with it is noticed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { receiveFiles } from '../../../src/cluster/replica/files/receive-files.ts'
import { sendFiles } from '../../../src/cluster/replica/files/send-files.ts'
import { createStreamBytes } from '../../../src/cluster/replica/files/stream-bytes.ts'
import type { ExportedFiles, FetchedFiles } from '../../../src/lsm/replicated/replicated-tree.ts'

function exportOf(contents: ReadonlyMap<string, Uint8Array>, state = Buffer.from('state')): ExportedFiles {
  return {
    through: { sequence: 7, epoch: 3 }, state,
    files: [...contents].map(([name, bytes]) => ({ name, byteLength: bytes.byteLength })),
    read: async (name, byteOffset, byteLength) => contents.get(name)!.subarray(byteOffset, byteOffset + byteLength),
    release: () => undefined,
  }
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const chunk of chunks) pieces.push(new Uint8Array(chunk))
  return Buffer.concat(pieces)
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const receive = (bytes: Uint8Array, pieceBytes = 1_000): Promise<FetchedFiles> => receiveFiles(createStreamBytes(inPieces(bytes, pieceBytes)))

async function readAll({ files, read }: FetchedFiles): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  for (const file of files) found.set(file.name, new Uint8Array(await bytesOf(read(file))))
  return found
}

const sample = new Map([['a', new Uint8Array(700_000).fill(5)], ['b', new Uint8Array(0)], ['c', new Uint8Array(Buffer.from('third'))]])
const headed = (head: unknown): Buffer => {
  const text = Buffer.from(JSON.stringify(head)), length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text, Buffer.alloc(100)])
}

describe('a stream of files', () => {
  it('gives what was sent, in whatever pieces it comes', async () => {
    await fc.assert(fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array({ maxLength: 300 })), fc.integer({ min: 1, max: 90 }), async (files, pieceBytes) => {
      const contents = new Map(Object.entries(files))
      const received = await receive(await bytesOf(sendFiles(exportOf(contents))), pieceBytes)
      expect([received.through, Buffer.from(received.state).toString()]).toEqual([{ sequence: 7, epoch: 3 }, 'state'])
      expect(await readAll(received)).toEqual(contents)
    }), { numRuns: 60 })
  })

  it('holds little of a large file at a time', async () => {
    const sizes: number[] = []
    for await (const piece of sendFiles(exportOf(sample))) sizes.push(piece.byteLength)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024)
    const received = await readAll(await receive(await bytesOf(sendFiles(exportOf(sample)))))
    for (const [name, bytes] of sample) expect(Buffer.compare(received.get(name)!, bytes)).toBe(0)
  })

  it('finds a file that is not what was sent, before its end is told', async () => {
    const bytes = await bytesOf(sendFiles(exportOf(sample)))
    bytes.fill(0xff, 1_000, 1_001)
    await expect(receive(bytes).then(readAll)).rejects.toMatchObject({ code: 'XX001', evidence: { file: 'a' } })
  })

  it('finds an end that comes too early', async () => {
    const bytes = await bytesOf(sendFiles(exportOf(sample)))
    for (const byteLength of [0, 3, 20, 200, bytes.byteLength - 1]) await expect(receive(bytes.subarray(0, byteLength)).then(readAll)).rejects.toMatchObject({ code: '08006' })
  })

  it.each([
    ['no JSON', Buffer.from([2, 0, 0, 0, 0x7b, 0x7b])],
    ['a head without end', Buffer.from([255, 255, 255, 255, 0])],
    ['no object', headed(3)],
    ['no position', headed({ through: { sequence: -1, epoch: 0 }, stateBytes: 0, files: [] })],
    ['a state that is too large', headed({ through: { sequence: 1, epoch: 0 }, stateBytes: 2 ** 40, files: [] })],
    ['no files', headed({ through: { sequence: 1, epoch: 0 }, stateBytes: 0, files: {} })],
    ['a file without bytes', headed({ through: { sequence: 1, epoch: 0 }, stateBytes: 0, files: [['a']] })],
    ['a file without a name', headed({ through: { sequence: 1, epoch: 0 }, stateBytes: 0, files: [['', 1]] })],
  ])('refuses a head with %s', async (_what, bytes) => {
    await expect(receive(bytes)).rejects.toMatchObject({ code: '08P01' })
  })
})
