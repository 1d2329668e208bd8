/**
 * A bounded map that forgets what was not used lately: two generations, the older of which is dropped when the newer
 * is full. A hit in the newer one costs a lookup and nothing else.
 */
export interface GenerationCache<Value, Key = string> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
  readonly size: number
}

/** Keeps at least the last `entriesMax / 2` used entries and at most `entriesMax`; 0 keeps none. */
export function createGenerationCache<Value, Key = string>(entriesMax: number): GenerationCache<Value, Key> {
  const half = Math.floor(entriesMax / 2)
  let newer = new Map<Key, Value>()
  let older = new Map<Key, Value>()

  function set(key: Key, value: Value): void {
    if (half === 0) return
    if (newer.size >= half && !newer.has(key)) {
      older = newer
      newer = new Map()
    }
    newer.set(key, value)
    older.delete(key)
  }

  return {
    get(key) {
      const value = newer.get(key)
      if (value !== undefined) return value
      const old = older.get(key)
      if (old !== undefined) set(key, old)
      return old
    },
    set,
    get size() {
      return newer.size + older.size
    },
  }
}
