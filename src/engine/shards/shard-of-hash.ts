/** The shard of a key, by the second word of its bloom hash. Both are told to be u32: otherwise V8 takes the remainder of doubles, which is as long as all the rest of hashing a key. */
export function shardOfHash(second: number, shardCount: number): number {
  return (second >>> 0) % (shardCount >>> 0)
}
