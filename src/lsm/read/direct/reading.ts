/** Steps that mostly need no wait: rows from the cache go on without a promise for each. */

/** What is to be waited for; undefined: nothing. */
export type Reading = Promise<void> | undefined

export function after(reading: Reading, next: () => Reading): Reading {
  return reading === undefined ? next() : reading.then(next)
}
