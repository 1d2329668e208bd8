/** The same statement with its values as parameters: texts, and numbers beside a comparison. */
export interface Parametrized {
  readonly text: string
  readonly parameters: (string | number | bigint)[]
}

/** A text in quotes, or a number after a comparison; the character of ESCAPE stays. */
const values = /ESCAPE '(?:[^']|'')*'|'((?:[^']|'')*)'|(?<=(?:=|<|>|<>|<=|>=) )(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?= |\)|$)/g

export function withParameters(text: string): Parametrized {
  const parameters: (string | number | bigint)[] = []
  const replaced = text.replaceAll(values, (whole, quoted: string | undefined, digits: string | undefined) => {
    if (quoted === undefined && digits === undefined) return whole
    parameters.push(quoted === undefined ? numberOf(digits!) : quoted.replaceAll("''", "'"))
    return `$${parameters.length}`
  })
  return { text: replaced, parameters }
}

function numberOf(digits: string): number | bigint {
  return /^-?\d+$/.test(digits) ? BigInt(digits) : Number(digits)
}
