/** Numbers of operators, as src/kernel/vector.ts has them. */
export const ADD: u32 = 0
export const SUBTRACT: u32 = 1
export const MULTIPLY: u32 = 2
export const QUOTIENT: u32 = 3
export const REMAINDER: u32 = 4
export const ROUNDED_QUOTIENT: u32 = 5
export const FLOOR_QUOTIENT: u32 = 6
