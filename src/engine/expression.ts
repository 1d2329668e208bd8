/** What those who make expressions for scans may ask of them. */
export { canFail, partsOf } from '../lsm/vector/expression.ts'
