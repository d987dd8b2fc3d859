// How multipliers and adders become full adders: maps for yosys' techmap.

// A product as the sum of its rows of partial products (Baugh and Wooley, IEEE Trans. Computers C-22, 1973), any signs
// and widths: the row and the column of the signs are inverted and a constant sets that right, so no row is longer than
// A. The rows are a chain of additions, which alumacc makes one sum of with what is added to the product.
(* techmap_celltype = "$mul" *)
module _10_multiply (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  localparam SIGNED = A_SIGNED && B_SIGNED;
  localparam [Y_WIDTH-1:0] ONE = 1;
  localparam [Y_WIDTH-1:0] START =
    SIGNED ? (ONE << (A_WIDTH - 1)) + (ONE << (B_WIDTH - 1)) - (ONE << (A_WIDTH + B_WIDTH - 1)) : 0;
  wire [(B_WIDTH+1)*Y_WIDTH-1:0] sums;
  assign sums[Y_WIDTH-1:0] = START;
  genvar i, j;
  generate
    for (i = 0; i < B_WIDTH; i = i + 1) begin:rows
      wire [A_WIDTH-1:0] row;
      for (j = 0; j < A_WIDTH; j = j + 1) begin:bits
        if (SIGNED && ((i == B_WIDTH - 1) != (j == A_WIDTH - 1)))
          assign row[j] = ~(A[j] & B[i]);
        else
          assign row[j] = A[j] & B[i];
      end
      wire [A_WIDTH+B_WIDTH-1:0] shifted = {{B_WIDTH{1'b0}}, row} << i;
      assign sums[(i+2)*Y_WIDTH-1:(i+1)*Y_WIDTH] = sums[(i+1)*Y_WIDTH-1:i*Y_WIDTH] + shifted;
    end
  endgenerate
  assign Y = sums[(B_WIDTH+1)*Y_WIDTH-1:B_WIDTH*Y_WIDTH];
endmodule
