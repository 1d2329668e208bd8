// All kernels in one flat namespace of exports: every export starts with its module's name.
export * from './bloom'
export * from './checksum'
export * from './merge'
export * from './row'
export * from './lz'
export * from './zone-map'
export * from './skiplist'
export * from './column'
