/**
 * The first frame of each side: who it is, what it speaks, and bytes of chance that no earlier handshake had. All later
 * versions begin with the same bytes, so that any two releases can tell each other why they do not go together:
 *
 *   ┌ LSMTPEER │ u32 least version │ u32 greatest │ cluster │ node │ node that it wants │ instance, 16 │ nonce, 32 │ … ┐
 *
 * Names are texts with their length; what follows the nonce is of later versions, and covered by the proofs like the rest.
 */
import { violation } from '../frame/frame.ts'
import { createByteReader } from '../wire/byte-reader.ts'
import { createByteWriter } from '../wire/byte-writer.ts'

/** Of the frames behind the handshake. */
export const protocolVersions = { least: 1, greatest: 1 } as const

export const nameBytesMax = 128
const magic = Buffer.from('LSMTPEER', 'latin1')
const instanceBytes = 16
const nonceBytes = 32

export interface Hello {
  readonly leastVersion: number
  readonly greatestVersion: number
  readonly cluster: string
  readonly node: string
  /** Whom the side that opened the connection thinks it talks to; the other one repeats its own name. */
  readonly wanted: string
  /** By chance at every start: tells a node that is back from another one of the same name. */
  readonly instance: string
  readonly nonce: Uint8Array
}

/** `randomByte` gives the nonce. */
export function nonceOf(randomByte: () => number): Uint8Array {
  return Uint8Array.from({ length: nonceBytes }, randomByte)
}

export function instanceOf(randomByte: () => number): string {
  return Buffer.from(Uint8Array.from({ length: instanceBytes }, randomByte)).toString('hex')
}

export function encodeHello(hello: Hello): Uint8Array {
  const writer = createByteWriter()
  writer.bytes(magic)
  writer.u32(hello.leastVersion)
  writer.u32(hello.greatestVersion)
  writer.text(hello.cluster)
  writer.text(hello.node)
  writer.text(hello.wanted)
  writer.bytes(Buffer.from(hello.instance, 'hex'))
  writer.bytes(hello.nonce)
  return writer.done()
}

export function decodeHello(payload: Uint8Array): Hello {
  const reader = createByteReader(payload, 'a hello')
  if (!magic.equals(reader.bytes('magic', magic.length))) throw violation('the other side is no node of lsmt')
  return {
    leastVersion: reader.u32('least version'),
    greatestVersion: reader.u32('greatest version'),
    cluster: reader.text('cluster', nameBytesMax),
    node: reader.text('node', nameBytesMax),
    wanted: reader.text('wanted node', nameBytesMax),
    instance: Buffer.from(reader.bytes('instance', instanceBytes)).toString('hex'),
    nonce: reader.bytes('nonce', nonceBytes),
  }
}
