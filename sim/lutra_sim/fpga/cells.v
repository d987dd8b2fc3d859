// Behaviour of the two ECP5 cells that yosys describes only by their ports, as far as its netlists use them:
// one clock, no output register, memories that start at zero, multipliers without registers.

module DP16KD (
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16,
        DIA17, ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
        CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
        DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16,
        DIB17, ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
        CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16,
         DOA17, DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15,
         DOB16, DOB17);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", CSDECODE_A = "0b000", CSDECODE_B = "0b000", GSR = "DISABLED";
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";

  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
                    DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
                    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
                    DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};

  // Place of an access of `width` bits in a row of 36.
  function [5:0] place(input integer width, input [13:0] address);
    place = width == 36 ? 0 : width == 18 ? 18 * address[4] : width == 9 ? 9 * address[4:3]
            : 9 * address[4:3] + (address[2:0] & ~(width - 1));
  endfunction

  // Bits of the row that a write may change; the lowest address bits of a wide port are enables of nine bits each.
  function [35:0] mask(input integer width, input [13:0] address);
    mask = width == 36 ? {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}}
           : width == 18 ? {18'b0, {9{address[1]}}, {9{address[0]}}} << place(width, address)
           : ((36'b1 << width) - 1) << place(width, address);
  endfunction

  reg [35:0] rows [0:511];
  reg [35:0] read_a, read_b;
  wire [35:0] mask_a = mask(DATA_WIDTH_A, ada), mask_b = mask(DATA_WIDTH_B, adb);
  integer row;
  initial for (row = 0; row < 512; row = row + 1) rows[row] = 0;

  // What others read changes after the edge ("<="): a flip-flop that samples it at this edge must see the old word.
  always @(posedge CLKA) begin
    if (CEA & ~WEA) read_a <= rows[ada[13:5]] >> place(DATA_WIDTH_A, ada);
    if (CEB & ~WEB) read_b <= rows[adb[13:5]] >> place(DATA_WIDTH_B, adb);
    /* verilator lint_off BLKSEQ */  // only this block reads the rows: old words come first, then both ports write
    if (CEA & WEA) rows[ada[13:5]] = rows[ada[13:5]] & ~mask_a | di << place(DATA_WIDTH_A, ada) & mask_a;
    if (CEB & WEB) rows[adb[13:5]] = rows[adb[13:5]] & ~mask_b | {18'b0, di[35:18]} << place(DATA_WIDTH_B, adb) & mask_b;
    /* verilator lint_on BLKSEQ */
  end

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
          DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? read_b[17:0] : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
          DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];
endmodule

module MULT18X18D (
  input A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
        B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
        C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
        SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  output P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19, P20, P21, P22,
         P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35);
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  wire signed [37:0] wide_a = {{20{SIGNEDA & A17}}, a}, wide_b = {{20{SIGNEDB & B17}}, b};
  wire signed [37:0] product = wide_a * wide_b;
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14,
          P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product[35:0];
endmodule
