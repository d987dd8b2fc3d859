// LZ4's block format without compression, under its own names: one sequence of literals. Verilator's FST writer wants
// these two functions; traces of a window of cycles are small enough.
#pragma once

#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* from, char* to, int size, int room) {
    if (room < LZ4_compressBound(size)) return 0;
    char* next = to;
    *next++ = static_cast<char>((size < 15 ? size : 15) << 4);
    for (int rest = size - 15; rest >= 0; rest -= 255) *next++ = static_cast<char>(rest < 255 ? rest : 255);
    std::memcpy(next, from, size);
    return static_cast<int>(next - to) + size;
}
