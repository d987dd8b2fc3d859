// Drives a verilated board by its serial line: bytes and breaks to it, bytes from it.
//
// A cycle is: the line set and settled with the clock low, the board's own line sampled, rising edge.

#include "Vlutra.h"
#include "verilated.h"

#include <cstdint>

namespace {

constexpr int RESET_CYCLES = 4;
constexpr int RANDOM = 2;       // contents of memories before they are written
constexpr int BREAK_BITS = 30;  // bit times of a break, and of the rest after it
constexpr int BYTE_BITS = 10;   // start and stop bit included

}  // namespace

struct Board {
    VerilatedContext context;
    Vlutra top;
    const int divisor;     // cycles in a bit time
    int64_t cycles = 0;
    int heard_at = -1;     // cycles since the start bit of the byte under way began; -1: none is
    uint8_t heard = 0;
    bool before = true;    // the board's line, one cycle ago

    explicit Board(int divisor)
        : top((context.threads(1), context.randReset(RANDOM), &context)), divisor(divisor) {
        top.rx = 1;
        top.rst = 1;
        for (int i = 0; i < RESET_CYCLES; ++i) cycle();
        top.rst = 0;
        heard_at = -1;
    }

    // Verilator takes the scopes off the thread's context, which may be that of another board, even a deleted one.
    ~Board() { Verilated::threadContextp(&context); }

    // Whether a byte has arrived, in ``heard``, by the end of this cycle.
    bool cycle() {
        top.clk = 0;
        top.eval();
        const bool arrived = listen(top.tx);
        top.clk = 1;
        top.eval();
        ++cycles;
        return arrived;
    }

private:
    bool listen(bool line) {
        if (heard_at < 0 && before && !line) heard_at = 0;
        before = line;
        if (heard_at < 0) return false;
        const int bit = heard_at / divisor;
        const bool middle = heard_at++ % divisor == divisor / 2;
        if (!middle) return false;
        if (bit >= 1 && bit <= 8) heard = uint8_t(heard >> 1 | line << 7);
        if (bit < BYTE_BITS - 1) return false;
        heard_at = -1;
        return line;
    }
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Board* board_new(int divisor) { return new Board(divisor); }

EXPORT void board_delete(Board* board) { delete board; }

EXPORT int64_t board_cycles(const Board* board) { return board->cycles; }

// Hold the board's input low, then high again, for so long that it is a break; what it says meanwhile is lost.
EXPORT void board_break(Board* board) {
    for (const int level : {0, 1}) {
        board->top.rx = level;
        for (int i = 0; i < BREAK_BITS * board->divisor; ++i) board->cycle();
    }
}

// Send bytes, take what comes meanwhile, and go on until something has come or nothing has for ``patience`` cycles.
// At most ``room`` bytes are taken, each as soon as it is there; returns how many.
EXPORT int64_t board_exchange(Board* board, const uint8_t* data, int64_t count, uint8_t* taken, int64_t room,
                              int64_t patience) {
    int64_t arrived = 0;
    const auto step = [&] {
        if (board->cycle() && arrived < room) taken[arrived++] = board->heard;
    };
    for (int64_t i = 0; i < count; ++i) {
        const unsigned bits = data[i] << 1 | 1u << (BYTE_BITS - 1);
        for (int bit = 0; bit < BYTE_BITS; ++bit) {
            board->top.rx = bits >> bit & 1;
            for (int j = 0; j < board->divisor; ++j) step();
        }
    }
    for (int64_t rest = 0; arrived == 0 && rest < patience; ++rest) step();
    return arrived;
}
