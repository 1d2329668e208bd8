// Key bytes: comparison as unsigned bytes with the shorter first, 8-byte prefixes as numbers, hashing, copying.
import { Bytes } from '../compare/equal'
import { commonPrefixBytes } from '../compare/common-prefix'
import { textCompareFrom } from '../compare/text'
import { NODE_KEY, NODE_KEY_BYTES } from './layout'

/** A node's key against a key, past the first `from` bytes. */
export function keyCompareNode(node: usize, key: usize, keyBytes: u32, from: u32): i32 {
  return textCompareFrom(node + NODE_KEY, load<u32>(node, NODE_KEY_BYTES), key, keyBytes, from)
}

/** The first `startBytes` bytes of a node's key, which has them, against a key's. */
export function keyCompareStart(node: usize, key: usize, keyBytes: u32, startBytes: u32): i32 {
  return textCompareFrom(node + NODE_KEY, startBytes, key, min(keyBytes, startBytes), 0)
}

export function keyEqualsNode(node: usize, key: usize, keyBytes: u32): bool {
  return load<u32>(node, NODE_KEY_BYTES) == keyBytes && textCompareFrom(node + NODE_KEY, keyBytes, key, keyBytes, 0) == 0
}

/** The same with a key whose table's id is given as it would be loaded. */
export function keyEqualsNodeInTable(node: usize, tableWord: u32, key: usize, keyBytes: u32): bool {
  return load<u32>(node, NODE_KEY_BYTES) == keyBytes + 4 && load<u32>(node, NODE_KEY) == tableWord && Bytes.equal(node + NODE_KEY + 4, key, keyBytes)
}

/** The 8 bytes from `skip` on as a big-endian number, zeros past the end. */
export function keyPrefix(key: usize, keyBytes: u32, skip: u32): u64 {
  if (skip + 8 <= keyBytes) return bswap<u64>(load<u64>(key + skip))
  let prefix: u64 = 0
  for (let i: u32 = 0; i < 8; i++) {
    prefix = (prefix << 8) | (skip + i < keyBytes ? <u64>load<u8>(key + skip + i) : 0)
  }
  return prefix
}

export function keyNodePrefix(node: usize, skip: u32): u64 {
  return keyPrefix(node + NODE_KEY, load<u32>(node, NODE_KEY_BYTES), skip)
}

/** How many leading bytes the keys of two nodes share. */
export function keyShared(a: usize, b: usize): u32 {
  return keySharedWith(a, b + NODE_KEY, load<u32>(b, NODE_KEY_BYTES))
}

/** How many leading bytes a node's key shares with a key. */
export function keySharedWith(node: usize, key: usize, keyBytes: u32): u32 {
  return commonPrefixBytes(node + NODE_KEY, key, min(load<u32>(node, NODE_KEY_BYTES), keyBytes))
}

/** Whether a key with which a node's key shares so many leading bytes is above that one. */
export function keyIsAbove(node: usize, key: usize, keyBytes: u32, shared: u32): bool {
  if (shared == keyBytes) return false
  return shared == load<u32>(node, NODE_KEY_BYTES) || load<u8>(key + shared) > load<u8>(node + NODE_KEY + shared)
}

const HASH_SEED: u32 = 0x9747b28c

/** 32-bit hash (MurmurHash3, Austin Appleby); only inside memtables, so it may change. */
export function keyHash(key: usize, keyBytes: u32): u32 {
  return hashedFrom(HASH_SEED, key, keyBytes, keyBytes)
}

/** The same of a key whose first four bytes, its table's id, are given as they would be loaded. */
export function keyHashInTable(tableWord: u32, key: usize, keyBytes: u32): u32 {
  return hashedFrom(hashStep(HASH_SEED, tableWord), key, keyBytes, keyBytes + 4)
}

/** Of a key of `keyBytes` bytes whose last `restBytes` stand at `rest`, and whose others are in `hash`. */
function hashedFrom(hash: u32, rest: usize, restBytes: u32, keyBytes: u32): u32 {
  const end = rest + restBytes
  let at = rest
  for (; at + 4 <= end; at += 4) hash = hashStep(hash, load<u32>(at))
  let tail: u32 = 0
  for (let shift: u32 = 0; at < end; at++, shift += 8) tail |= <u32>load<u8>(at) << shift
  hash ^= scramble(tail) ^ keyBytes
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35
  return hash ^ (hash >> 16)
}

function hashStep(hash: u32, word: u32): u32 {
  return rotl<u32>(hash ^ scramble(word), 13) * 5 + 0xe6546b64
}

function scramble(word: u32): u32 {
  return rotl<u32>(word * 0xcc9e2d51, 15) * 0x1b873593
}

/** Copies keys and rows: short as they are, a call into the runtime would cost more than the copy. */
export function keyCopy(to: usize, from: usize, byteLength: u32): void {
  if (byteLength > 512) {
    memory.copy(to, from, byteLength)
    return
  }
  let at: u32 = 0
  for (; at + 16 <= byteLength; at += 16) v128.store(to + at, v128.load(from + at))
  for (; at + 4 <= byteLength; at += 4) store<u32>(to + at, load<u32>(from + at))
  for (; at < byteLength; at++) store<u8>(to + at, load<u8>(from + at))
}
