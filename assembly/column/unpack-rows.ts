/*
 * Codes of 1 to 32 bits, 32 rows of the four streams at a time: these are 128 codes in exactly `width` words. A function
 * for each width has every shift and every address as a constant, which takes a third of the time of a loop that works
 * them out; they are a line each, since what they have in common is inlined.
 */

class Rows {
  /** Row `row` of four codes; reads its second word only where its codes cross words. */
  @inline
  static one(packed: usize, width: i32, row: i32, mask: v128, out: usize): void {
    let codes = i32x4.shr_u(v128.load(packed + <usize>(((row * width) >> 5) << 4)), (row * width) & 31)
    if (((row * width) & 31) + width > 32) codes = v128.or(codes, i32x4.shl(v128.load(packed + <usize>((((row * width) >> 5) << 4) + 16)), 32 - ((row * width) & 31)))
    v128.store(out + <usize>(row << 4), v128.and(codes, mask))
  }

  @inline
  static eight(packed: usize, width: i32, row: i32, mask: v128, out: usize): void {
    Rows.one(packed, width, row, mask, out)
    Rows.one(packed, width, row + 1, mask, out)
    Rows.one(packed, width, row + 2, mask, out)
    Rows.one(packed, width, row + 3, mask, out)
    Rows.one(packed, width, row + 4, mask, out)
    Rows.one(packed, width, row + 5, mask, out)
    Rows.one(packed, width, row + 6, mask, out)
    Rows.one(packed, width, row + 7, mask, out)
  }

  @inline
  static all(packed: usize, width: i32, out: usize): void {
    const mask = i32x4.splat(<i32>(<u32>0xffffffff >> (32 - width)))
    Rows.eight(packed, width, 0, mask, out)
    Rows.eight(packed, width, 8, mask, out)
    Rows.eight(packed, width, 16, mask, out)
    Rows.eight(packed, width, 24, mask, out)
  }
}

function unpack1(packed: usize, out: usize): void { Rows.all(packed, 1, out) }
function unpack2(packed: usize, out: usize): void { Rows.all(packed, 2, out) }
function unpack3(packed: usize, out: usize): void { Rows.all(packed, 3, out) }
function unpack4(packed: usize, out: usize): void { Rows.all(packed, 4, out) }
function unpack5(packed: usize, out: usize): void { Rows.all(packed, 5, out) }
function unpack6(packed: usize, out: usize): void { Rows.all(packed, 6, out) }
function unpack7(packed: usize, out: usize): void { Rows.all(packed, 7, out) }
function unpack8(packed: usize, out: usize): void { Rows.all(packed, 8, out) }
function unpack9(packed: usize, out: usize): void { Rows.all(packed, 9, out) }
function unpack10(packed: usize, out: usize): void { Rows.all(packed, 10, out) }
function unpack11(packed: usize, out: usize): void { Rows.all(packed, 11, out) }
function unpack12(packed: usize, out: usize): void { Rows.all(packed, 12, out) }
function unpack13(packed: usize, out: usize): void { Rows.all(packed, 13, out) }
function unpack14(packed: usize, out: usize): void { Rows.all(packed, 14, out) }
function unpack15(packed: usize, out: usize): void { Rows.all(packed, 15, out) }
function unpack16(packed: usize, out: usize): void { Rows.all(packed, 16, out) }
function unpack17(packed: usize, out: usize): void { Rows.all(packed, 17, out) }
function unpack18(packed: usize, out: usize): void { Rows.all(packed, 18, out) }
function unpack19(packed: usize, out: usize): void { Rows.all(packed, 19, out) }
function unpack20(packed: usize, out: usize): void { Rows.all(packed, 20, out) }
function unpack21(packed: usize, out: usize): void { Rows.all(packed, 21, out) }
function unpack22(packed: usize, out: usize): void { Rows.all(packed, 22, out) }
function unpack23(packed: usize, out: usize): void { Rows.all(packed, 23, out) }
function unpack24(packed: usize, out: usize): void { Rows.all(packed, 24, out) }
function unpack25(packed: usize, out: usize): void { Rows.all(packed, 25, out) }
function unpack26(packed: usize, out: usize): void { Rows.all(packed, 26, out) }
function unpack27(packed: usize, out: usize): void { Rows.all(packed, 27, out) }
function unpack28(packed: usize, out: usize): void { Rows.all(packed, 28, out) }
function unpack29(packed: usize, out: usize): void { Rows.all(packed, 29, out) }
function unpack30(packed: usize, out: usize): void { Rows.all(packed, 30, out) }
function unpack31(packed: usize, out: usize): void { Rows.all(packed, 31, out) }
function unpack32(packed: usize, out: usize): void { Rows.all(packed, 32, out) }

/** Writes the next 128 codes as u32 at `out`. */
export function unpackRows(packed: usize, width: i32, out: usize): void {
  switch (width) {
    case 1: return unpack1(packed, out)
    case 2: return unpack2(packed, out)
    case 3: return unpack3(packed, out)
    case 4: return unpack4(packed, out)
    case 5: return unpack5(packed, out)
    case 6: return unpack6(packed, out)
    case 7: return unpack7(packed, out)
    case 8: return unpack8(packed, out)
    case 9: return unpack9(packed, out)
    case 10: return unpack10(packed, out)
    case 11: return unpack11(packed, out)
    case 12: return unpack12(packed, out)
    case 13: return unpack13(packed, out)
    case 14: return unpack14(packed, out)
    case 15: return unpack15(packed, out)
    case 16: return unpack16(packed, out)
    case 17: return unpack17(packed, out)
    case 18: return unpack18(packed, out)
    case 19: return unpack19(packed, out)
    case 20: return unpack20(packed, out)
    case 21: return unpack21(packed, out)
    case 22: return unpack22(packed, out)
    case 23: return unpack23(packed, out)
    case 24: return unpack24(packed, out)
    case 25: return unpack25(packed, out)
    case 26: return unpack26(packed, out)
    case 27: return unpack27(packed, out)
    case 28: return unpack28(packed, out)
    case 29: return unpack29(packed, out)
    case 30: return unpack30(packed, out)
    case 31: return unpack31(packed, out)
    case 32: return unpack32(packed, out)
  }
}
