/**
 * Manifests as bytes: a checksummed frame (drawn in manifest.ts) around JSON. The checksum says that the bytes are the
 * ones written; the shape is checked all the same, since what is believed here decides which files are deleted.
 */
import { corruption, invariant, LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { framedChecksum } from './framed-json.ts'
import type { ManifestState } from './manifest.ts'
import { manifestFromJson, manifestToJson } from './manifest-json.ts'

const magic = Buffer.from('LSMTMAN1', 'latin1')
/** The second has values that rows older than a column have in it, which what reads only the first would take for nulls. */
const formatVersion = 1, formatVersionWithMissing = 2
const algorithmXxh64 = 1
const frameBytes = 24
const checksumAt = 16

export function encodeManifest(kernel: Kernel, state: ManifestState): Uint8Array {
  const json = manifestToJson(state)
  const problem = problemOf(json)
  invariant(problem === undefined, `a manifest that could not be read back: ${problem}`)
  const body = Buffer.from(JSON.stringify(json), 'utf8')
  const file = Buffer.alloc(frameBytes + body.length)
  file.set(magic)
  file.writeUInt16LE(state.layouts.some(({ missing }) => missing !== undefined) ? formatVersionWithMissing : formatVersion, 8)
  file.writeUInt16LE(algorithmXxh64, 10)
  file.writeUInt32LE(body.length, 12)
  file.set(body, frameBytes)
  file.set(framedChecksum(kernel, file), checksumAt)
  return file
}

/** The state in the bytes of `fileName`; XX001 when they are damaged, XX002 when another version wrote them. */
export function decodeManifest(kernel: Kernel, bytes: Uint8Array, fileName: string): ManifestState {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const broken = (block: string, expected: string, actual: string): LsmtError => corruption('manifest', { file: fileName, block, expected, actual })
  if (file.length < frameBytes) throw broken('frame', `at least ${frameBytes} bytes`, `${file.length} bytes`)
  if (!file.subarray(0, magic.length).equals(magic)) throw broken('frame', `magic ${magic.toString('latin1')}`, JSON.stringify(file.toString('latin1', 0, magic.length)))
  const expected = file.subarray(checksumAt, frameBytes)
  const actual = framedChecksum(kernel, file)
  if (!expected.equals(actual)) throw broken('body', `xxh64 ${hexOf(expected)}`, `xxh64 ${hexOf(actual)}`)
  const version = file.readUInt16LE(8)
  const algorithm = file.readUInt16LE(10)
  if ((version !== formatVersion && version !== formatVersionWithMissing) || algorithm !== algorithmXxh64) {
    throw new LsmtError('XX002', `${fileName} has manifest format ${version} (checksum algorithm ${algorithm}); this version of lsmt reads up to ${formatVersionWithMissing} (${algorithmXxh64})`, { file: fileName })
  }
  if (file.readUInt32LE(12) !== file.length - frameBytes) throw broken('frame', `${file.readUInt32LE(12)} body bytes`, `${file.length - frameBytes}`)
  return decodeBody(file.toString('utf8', frameBytes), broken)
}

function decodeBody(body: string, broken: (block: string, expected: string, actual: string) => LsmtError): ManifestState {
  try {
    return manifestFromJson(JSON.parse(body))
  } catch (cause) {
    throw broken('body', 'the state of a tree', (cause as Error).message)
  }
}

function problemOf(json: unknown): string | undefined {
  try {
    manifestFromJson(JSON.parse(JSON.stringify(json)))
    return undefined
  } catch (cause) {
    return (cause as Error).message
  }
}

const hexOf = (checksum: Buffer): string => checksum.readBigUInt64LE().toString(16).padStart(16, '0')
