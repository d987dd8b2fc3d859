// Adders and subtractors as chains of full adders, the least area and energy; with more than one block of bits, the
// carry into each block but the first two looks ahead over the block before.
(* techmap_celltype = "$alu" *)
module _10_adder (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  input CI, BI;
  output [Y_WIDTH-1:0] X, Y, CO;
  wire [Y_WIDTH-1:0] a, b;
  generate  // a constant zero may come without bits
    if (A_WIDTH == 0) assign a = 0;
    else \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) left (.A(A), .Y(a));
    if (B_WIDTH == 0) assign b = 0;
    else \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) right (.A(B), .Y(b));
  endgenerate
  wire [Y_WIDTH-1:0] term = b ^ {Y_WIDTH{BI}};
  wire [Y_WIDTH-1:0] makes, passes;  // a carry, from its block's first bit on
  wire [Y_WIDTH:0] carry;
  assign carry[0] = CI;
  assign X = a ^ term;
  assign CO = carry[Y_WIDTH:1];
  genvar i;
  generate
    for (i = 0; i < Y_WIDTH; i = i + 1) begin:bits
      wire out;
      \$fa #(.WIDTH(1)) full (.A(a[i]), .B(term[i]), .C(carry[i]), .X(out), .Y(Y[i]));
      if (i % BLOCK == 0) begin
        assign makes[i] = a[i] & term[i];
        assign passes[i] = a[i] | term[i];
      end else begin
        assign makes[i] = (a[i] & term[i]) | ((a[i] | term[i]) & makes[i-1]);
        assign passes[i] = (a[i] | term[i]) & passes[i-1];
      end
      if ((i + 1) % BLOCK == 0 && i >= BLOCK)
        assign carry[i+1] = makes[i] | (passes[i] & carry[i+1-BLOCK]);
      else
        assign carry[i+1] = out;
    end
  endgenerate
endmodule
