/**
 * Decimal numbers as text and as unscaled integers, exactly: `12.345` is 12345 at scale 3. Nothing here passes
 * through a JavaScript number.
 */
import { LsmtError } from '../errors.ts'

/** unscaled × 10^-scale; the scale may be negative. */
export interface Decimal {
  readonly unscaled: bigint
  readonly scale: number
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** Decimals whose exponent is further from 0 than this are refused: they fit no type, and their digits would fill memory. */
const exponentMax = 2_000
/** Digits of a number that anything is computed with, as before the point of PostgreSQL's numeric: more take seconds to multiply, or to write. */
export const digitsMax = 131_072

/** undefined when the text is no decimal number; 22003 when it has an absurd exponent, or so many digits. */
export function parseDecimal(text: string): Decimal | undefined {
  const found = pattern.exec(text.trim())
  if (found === null) return undefined
  const [, sign, whole = '', fraction = '', exponentText = '0'] = found
  if (whole === '' && fraction === '') return undefined
  if (whole.length + fraction.length > digitsMax) throw new LsmtError('22003', `a number of ${whole.length + fraction.length} digits is out of range`)
  const unscaled = BigInt(`${whole}${fraction}`)
  const exponent = Number(exponentText)
  if (unscaled !== 0n && Math.abs(exponent) > exponentMax) throw new LsmtError('22003', `the exponent of ${text.slice(0, 60)} is out of range`)
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale: unscaled === 0n ? 0 : fraction.length - exponent }
}

/** The decimal as an integer of 10^-scale, rounded half away from zero as SQL assigns. */
export function roundDecimal(decimal: Decimal, scale: number): bigint {
  if (decimal.scale <= scale) return decimal.unscaled * powerOf10(scale - decimal.scale)
  const divisor = powerOf10(decimal.scale - scale)
  const half = divisor / 2n
  return (decimal.unscaled >= 0n ? decimal.unscaled + half : decimal.unscaled - half) / divisor
}

/** The largest integer of 10^-scale that is not above the decimal, and whether it equals it. */
export function floorDecimal(decimal: Decimal, scale: number): { readonly floor: bigint; readonly exact: boolean } {
  if (decimal.scale <= scale) return { floor: decimal.unscaled * powerOf10(scale - decimal.scale), exact: true }
  const divisor = powerOf10(decimal.scale - scale)
  const quotient = decimal.unscaled / divisor
  const exact = quotient * divisor === decimal.unscaled
  return { floor: exact || decimal.unscaled >= 0n ? quotient : quotient - 1n, exact }
}

/** Plain digits with exactly `scale` of them after the point. */
export function formatDecimal(unscaled: number | bigint, scale: number): string {
  if (scale === 0) return unscaled.toString()
  const negative = unscaled < 0
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function powerOf10(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}
