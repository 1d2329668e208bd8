// All kernels in one flat namespace of exports: every export starts with its module's name.
//
// Loops over vectors that need constants, or what was computed before them, test at their end (`do … while`). V8 computes
// what does not change where it is used, and takes it out of a loop only where every turn needs it: not behind a branch,
// nor behind a test at the loop's beginning. Constants made anew in every turn were half of the time of some kernels.
// Where it brought nothing, or took registers from what needs them more, `for` stayed.
export * from './bloom'
export * from './checksum'
export * from './merge'
export * from './row'
export * from './lz'
export * from './zone-map'
export * from './skiplist'
export * from './column'
export * from './scan'
export * from './vector'
export * from './values'
