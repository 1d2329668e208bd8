/** Calls `end` when the work is over, however it ended: what `finally` does, with one promise instead of three. */
export function afterwards<T>(working: Promise<T>, end: () => void): Promise<T> {
  return working.then(
    (value) => {
      end()
      return value
    },
    (error: unknown) => {
      end()
      throw error
    },
  )
}
