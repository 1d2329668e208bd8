/** Kernels of expressions over vectors; the parts stand in assembly/vector. */
export { vectorArithmeticF64 } from './vector/arithmetic-f64'
export { vectorArithmeticI64 } from './vector/arithmetic-i64'
export * from './vector/bits'
export * from './vector/compare'
export * from './vector/convert'
export * from './vector/in'
export * from './vector/join'
export { vectorLike } from './vector/like'
