/* Sixteen floats side by side, and blocks of them: BLOCK rows of one scalar. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 16, LANES = 16, VECTORS = 2, BLOCK = LANES * VECTORS, MANY = 16 };
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t bits __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
typedef lanes block[VECTORS];

static void *zeros(long size)
{
    long whole = (size + 63) / 64 * 64;
    return memset(aligned_alloc(64, whole), 0, whole);
}

static inline lanes chosen(bits holds, lanes a, lanes b)
{
    return (lanes)(((bits)a & holds) | ((bits)b & ~holds));
}

static inline lanes where(bits holds, lanes a)
{
    return (lanes)((bits)a & holds);
}

static inline lanes magnitude(lanes a)
{
    return (lanes)((bits)a & INT32_MAX);
}

static inline lanes larger(lanes a, lanes b)
{
    return chosen(a > b, a, b);
}

static inline float added(lanes x)
{
    float total = 0;
    for (int i = 0; i < LANES; i++)
        total += x[i];
    return total;
}

/* e^x to seven digits for x <= 0; 2^x by its whole part, put into the exponent, and a polynomial in the rest. */
static inline lanes power(lanes x)
{
    x = larger(x * 1.44269504f, (lanes){0} - 60.0f);  // what is below counts for nothing
    bits whole = __builtin_convertvector(x - 0.5f, bits);
    lanes rest = x - __builtin_convertvector(whole, lanes);
    lanes y = (lanes){0} + 0.00133909f;
    y = y * rest + 0.00967603f;
    y = y * rest + 0.05550357f;
    y = y * rest + 0.24022107f;
    y = y * rest + 0.69314719f;
    y = y * rest + 1.00000008f;
    return (lanes)((bits)y + (whole << 23));
}

static inline void load(block out, const float *from, long count)
{
    if (count == BLOCK) {
        memcpy(out, from, sizeof(block));
        return;
    }
    memset(out, 0, sizeof(block));
    memcpy(out, from, sizeof(float) * count);
}

/* The outputs first to first + size - 1 of multiply, side by side in registers. */
static inline __attribute__((always_inline)) void tile(block *out, const float *offset, const float *weight, long down,
                                                       long across, const block *x, int first, int terms, int size)
{
    lanes sums[4][VECTORS];
    weight += first * down;
    for (int i = 0; i < size; i++)
        for (int j = 0; j < VECTORS; j++)
            sums[i][j] = (lanes){0} + (offset ? offset[first + i] : 0);
    for (int v = 0; v < terms; v++)
        for (int i = 0; i < size; i++)
            for (int j = 0; j < VECTORS; j++)
                sums[i][j] += weight[i * down + v * across] * x[v][j];
    for (int i = 0; i < size; i++)
        for (int j = 0; j < VECTORS; j++)
            out[first + i][j] = sums[i][j];
}

/* out[i] = offset[i] + sum over v of weight[i * down + v * across] * x[v], for all i below size; offset may be null. */
static void multiply(block *out, const float *offset, const float *weight, long down, long across, const block *x,
                     int size, int terms)
{
    int i = 0;
    for (; i + 4 <= size; i += 4)
        tile(out, offset, weight, down, across, x, i, terms, 4);
    for (; i < size; i++)
        tile(out, offset, weight, down, across, x, i, terms, 1);
}
