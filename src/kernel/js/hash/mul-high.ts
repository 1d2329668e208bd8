/** Upper 32 bits of the product of two unsigned 32-bit integers, by 16-bit parts (Warren, Hacker's Delight, mulhu). */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16
  const bLow = b & 0xffff, bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0
}
