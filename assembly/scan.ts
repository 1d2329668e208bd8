/** The scan kernels; the parts stand in assembly/scan. */
export * from './scan/aggregate-groups'
export * from './scan/aggregate-vectors'
export * from './scan/filter-vectors'
export * from './scan/group'
export { scanSelectAll, scanSelectedCount, scanSelectedRows } from './scan/selection'
