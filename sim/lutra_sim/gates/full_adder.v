// Full adders as the library's cell, or as gates where an input is constant.
(* techmap_celltype = "$fa" *)
module _10_full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  localparam [WIDTH-1:0] CONSTANT = _TECHMAP_CONSTMSK_A_ | _TECHMAP_CONSTMSK_B_ | _TECHMAP_CONSTMSK_C_;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin:bits
      if (CONSTANT[i]) begin
        assign Y[i] = A[i] ^ B[i] ^ C[i];
        assign X[i] = (A[i] & B[i]) | (C[i] & (A[i] | B[i]));
      end else begin
        wire sum, carry;
        assign Y[i] = SUM_INVERTED sum;
        assign X[i] = CARRY_INVERTED carry;
        CELL full (.PIN_A(A[i]), .PIN_B(B[i]), .PIN_C(C[i]), .PIN_SUM(sum), .PIN_CARRY(carry));
      end
    end
  endgenerate
endmodule
