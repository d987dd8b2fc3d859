// One of sixteen words: for each bit eight LUT4 cells and the multiplexers behind them, which one tile holds; yosys' own
// mapper takes nearly twice as many cells. For `techmap -map` after the coarse synthesis.

(* techmap_celltype = "$bmux" *)
module select_word_ecp5 (A, S, Y);
	parameter WIDTH = 1;
	parameter S_WIDTH = 4;

	input [(WIDTH << S_WIDTH)-1:0] A;
	input [S_WIDTH-1:0] S;
	output [WIDTH-1:0] Y;

	wire _TECHMAP_FAIL_ = S_WIDTH != 4;

	genvar i, j;
	generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
		wire [7:0] pairs;
		wire [3:0] fours;
		wire [1:0] eights;
		for (j = 0; j < 8; j = j + 1)
			LUT4 #(.INIT(16'hCACA)) pair (.A(A[2*j*WIDTH+i]), .B(A[(2*j+1)*WIDTH+i]), .C(S[0]), .D(1'b0), .Z(pairs[j]));
		for (j = 0; j < 4; j = j + 1)
			PFUMX four (.BLUT(pairs[2*j]), .ALUT(pairs[2*j+1]), .C0(S[1]), .Z(fours[j]));
		for (j = 0; j < 2; j = j + 1)
			L6MUX21 eight (.D0(fours[2*j]), .D1(fours[2*j+1]), .SD(S[2]), .Z(eights[j]));
		L6MUX21 word (.D0(eights[0]), .D1(eights[1]), .SD(S[3]), .Z(Y[i]));
	end endgenerate
endmodule
