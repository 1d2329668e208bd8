/**
 * Proof that a side knows the cluster's secret, which itself never goes over the wire: HMAC-SHA256, under a key made of
 * secret and cluster name, over the role of who proves and both hellos whole. Each hello has a nonce of its side, so no
 * proof can be used again; the role keeps a proof from being sent back to who made it; names and versions cannot be
 * changed on the way. Whoever answers an attacker's hello gives him something to try secrets on: they must not be guessable.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { LsmtError } from '../../../errors.ts'

export type Role = 'dialer' | 'acceptor'

export type ProofKey = Buffer

const secretBytesMin = 16

/** 22023 for a secret that could be guessed. */
export function checkSecret(secret: Uint8Array): void {
  if (secret.byteLength < secretBytesMin) throw new LsmtError('22023', `the cluster secret has ${secret.byteLength} bytes, at least ${secretBytesMin} are wanted`, { hint: 'make one by chance: head -c 32 /dev/urandom | base64' })
}

/** 22023 for a secret that could be guessed. */
export function proofKey(secret: Uint8Array, cluster: string): ProofKey {
  checkSecret(secret)
  return createHmac('sha256', secret).update(`lsmt cluster ${cluster}`).digest()
}

export function proofOf(key: ProofKey, role: Role, dialerHello: Uint8Array, acceptorHello: Uint8Array): Uint8Array {
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32LE(dialerHello.byteLength, 0)
  lengths.writeUInt32LE(acceptorHello.byteLength, 4)
  return createHmac('sha256', key).update(`lsmt ${role} `).update(lengths).update(dialerHello).update(acceptorHello).digest()
}

export function isProof(expected: Uint8Array, given: Uint8Array): boolean {
  return expected.byteLength === given.byteLength && timingSafeEqual(expected, given)
}
