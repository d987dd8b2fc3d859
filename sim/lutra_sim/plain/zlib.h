// What Verilator's FST writer wants of zlib: a compressor that never makes anything smaller, for the writer keeps
// uncompressed what does not shrink.
#pragma once

#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;
constexpr int Z_OK = 0;

inline uLong compressBound(uLong size) { return size; }

inline int compress2(Bytef* to, uLongf* room, const Bytef* from, uLong size, int) {
    std::memcpy(to, from, size);
    *room = size;
    return Z_OK;
}
