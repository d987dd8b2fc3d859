// Squares of 9-bit differences of two INT8 values (never -256) in the logic of an ECP5, for yosys' techmap.
//
// The magnitude u = 16 h + l gives u^2 = 256 h^2 + 32 h l + l^2: h^2 and l^2 are four-input functions, h l is four
// rows of ANDs that are added in pairs, two ANDs and a full adder in one half of a CCU2C. An encoder of 16 centroids
// of length 9 has 144 squares, and the smaller parts have 28 multipliers.

(* techmap_celltype = "$mul" *)
module _square (A, B, Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  parameter _TECHMAP_CONNMAP_A_ = 0;
  parameter _TECHMAP_CONNMAP_B_ = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_WIDTH != 9 || B_WIDTH != 9 || !A_SIGNED || !B_SIGNED || Y_WIDTH < 16
                        || _TECHMAP_CONNMAP_A_ != _TECHMAP_CONNMAP_B_;

  wire [8:0] d = A;
  wire [7:0] u, unused_x, unused_co, high, low;
  \$alu #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(8), .B_WIDTH(8), .Y_WIDTH(8)) magnitude (
    .A(8'b0), .B(d[7:0]), .BI(d[8]), .CI(d[8]), .Y(u), .X(unused_x), .CO(unused_co));
  \$__square4 square_high (.a(u[7:4]), .y(high));
  \$__square4 square_low (.a(u[3:0]), .y(low));
  wire [5:0] p, q;
  \$__rows4 rows_low (.a(u[7:4]), .b(u[1:0]), .y(p));
  \$__rows4 rows_high (.a(u[7:4]), .b(u[3:2]), .y(q));
  wire [5:0] upper = p[5:2] + q;
  wire [10:0] top = {high, low[7:5]} + {upper, p[1:0]};
  assign Y = {top, low[4:0]};
endmodule

module \$__square4 (input [3:0] a, output reg [7:0] y);
  always @* case (a)
    0: y = 0; 1: y = 1; 2: y = 4; 3: y = 9; 4: y = 16; 5: y = 25; 6: y = 36; 7: y = 49;
    8: y = 64; 9: y = 81; 10: y = 100; 11: y = 121; 12: y = 144; 13: y = 169; 14: y = 196; 15: y = 225;
  endcase
endmodule

// a * b
module \$__rows4 (input [3:0] a, input [1:0] b, output [5:0] y);
  wire [7:0] x = {3'b0, a, 1'b0};
  wire [3:0] carry;
  assign carry[0] = 0;
  genvar i;
  generate for (i = 0; i < 6; i = i + 2) begin : pair
    CCU2C #(.INIT0(16'h7888), .INIT1(16'h7888), .INJECT1_0("NO"), .INJECT1_1("NO")) sum (
      .CIN(carry[i / 2]), .COUT(carry[i / 2 + 1]), .S0(y[i]), .S1(y[i + 1]),
      .A0(x[i + 1]), .B0(b[0]), .C0(x[i]), .D0(b[1]),
      .A1(x[i + 2]), .B1(b[0]), .C1(x[i + 1]), .D1(b[1]));
  end endgenerate
endmodule
