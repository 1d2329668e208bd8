/**
 * Functions written out for what is only known when the program runs, such as the names of a table's columns: a loop over
 * these takes several times as long as what a programmer would have written for them. Nothing that comes from outside may
 * be part of the text but by `propertyText`.
 */

/** undefined where a process makes no functions of text (`--disallow-code-generation-from-strings`). It takes some 10 us. */
export function writtenFunction(parameters: readonly string[], body: string): unknown {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- its callers are the program's own, and names go through `propertyText`
    return new Function(...parameters, body)
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

/** A name as a property of an object literal: always one of the object's own. */
export const propertyText = (name: string): string => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name))
