/*
 * Integers under a signed decimal exponent, two at a time. n / 10^e takes three times as long as a product, so for e up
 * to 5 and |n| < 2^32 it is the sum of two: 1 / 10^e is an upper part of 21 bits, whose product with n is exact, and a
 * lower one, rounded. The sum before its last rounding is off by less than 2^-72 of itself. n / 10^e, which never lies
 * between two doubles just in the middle, lies at least 2^-54 / 10^e > 2^-71 of itself from there, since 2^s · n and
 * 10^e times that middle are different integers for the s that makes them so; hence both round to the same double.
 */

const SHORT_EXPONENT_MAX: i32 = 5
const SHORT_WIDTH_MAX: i32 = 31

const powers = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18])
const uppers = memory.data<f64>([1, 0.09999996423721313, 0.009999997913837433, 0.0009999992325901985, 0.00009999994654208422, 0.000009999996109399945])
const lowers = memory.data<f64>([0, 3.5762786865234374e-8, 2.086162567138672e-9, 7.674098014831543e-10, 5.3457915782928466e-11, 3.890600055456161e-12])

export function powerOfTen(exponent: i32): f64 { return load<f64>(powers + (<usize>exponent << 3)) }

/** Whether all of base .. base + 2^width - 1 are below 2^32 in magnitude and have so few decimals. */
export function isShortQuotient(base: i64, width: i32, exponent: i32): bool {
  return exponent >= 0 && exponent <= SHORT_EXPONENT_MAX && width <= SHORT_WIDTH_MAX && base > -(<i64>1 << 32) && base <= (<i64>1 << 31)
}

/** What `quotients` takes for an exponent; `isShort`: see above. */
export function quotientFactor(exponent: i32, isShort: bool): v128 {
  return f64x2.splat(isShort ? load<f64>(uppers + (<usize>exponent << 3)) : powerOfTen(abs(exponent)))
}

export function quotientRest(exponent: i32, isShort: bool): v128 {
  return f64x2.splat(isShort ? load<f64>(lowers + (<usize>exponent << 3)) : 0)
}

/** Two integers, given as doubles, under the exponent. */
export function quotients(n: v128, exponent: i32, isShort: bool, factor: v128, rest: v128): v128 {
  if (isShort) return f64x2.add(f64x2.mul(n, factor), f64x2.mul(n, rest))
  return exponent >= 0 ? f64x2.div(n, factor) : f64x2.mul(n, factor)
}
