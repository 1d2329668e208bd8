export declare const tinyTree: { memtableBytesMax: number; logSegmentBytes: number; rowGroupBytes: number; tableFileBytes: number; level1Bytes: number }
export declare const groupSize: number
export declare const padding: string
export declare function ownRows(n: number): [string, string][]
export declare function groupOf(n: number): number
export declare function groupKeys(group: number): string[]
export declare function pairRows(n: number): [number, string, number][]
export declare function kindOf(n: number): 'insert' | 'group' | 'delete' | 'pairs'
export declare function deletedBy(n: number): number
export declare function statementOf(n: number): [string, unknown[]]
