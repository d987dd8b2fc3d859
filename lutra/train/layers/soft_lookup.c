/* Nearest centroid and table lookup, forward and backward, in one pass over the rows; soft_lookup.py holds the same in
 * PyTorch and says what the arguments are. Sixteen entries to a table; BLOCK rows at a time, side by side in vectors.
 * Threads share a call: of the forward pass each takes the rows first to last, of the backward pass the codebooks.
 */
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

static inline lanes chosen(bits where, lanes a, lanes b)
{
    return (lanes)(((bits)a & where) | ((bits)b & ~where));
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

/* offset[k][c] = |p|^2 * scale, weight = p * -2 * scale */
static void prepare(float *offset, float *weight, const float *centroids, float scale, long points, int length)
{
    for (long c = 0; c < points; c++) {
        offset[c] = 0;
        for (int v = 0; v < length; v++) {
            float p = centroids[c * length + v];
            offset[c] += p * p * scale;
            weight[c * length + v] = -2 * scale * p;
        }
    }
}

/* index = the first of the smallest distances of each row */
static void search(uint8_t *index, const block *distance)
{
    for (int j = 0; j < VECTORS; j++) {
        lanes best = distance[0][j];
        bits found = {0};
        for (int c = 1; c < ENTRIES; c++) {
            bits closer = distance[c][j] < best;
            found = (found & ~closer) | (c & closer);
            best = chosen(closer, distance[c][j], best);
        }
        bytes small = __builtin_convertvector(found, bytes);
        memcpy(index + j * LANES, &small, LANES);
    }
}

/* Tables (tables, ENTRIES, columns) as (tables, wide, ENTRIES) vectors of columns, padded with zeros. */
static lanes *widened(const float *from, long tables, int columns, int wide)
{
    float *out = zeros(sizeof(lanes) * tables * wide * ENTRIES);
    for (long i = 0; i < tables * ENTRIES; i++)
        for (int n = 0; n < columns; n++)
            out[((i / ENTRIES * wide + n / LANES) * ENTRIES + i % ENTRIES) * LANES + n % LANES] = from[i * columns + n];
    return (lanes *)out;
}

void lookup_forward(long codebooks, int length, int columns, long rows, const float *x, const float *centroids,
                    const float *table, uint8_t *index, float *sums, long first, long last)
{
    int wide = (columns + LANES - 1) / LANES;
    float *offset = malloc(sizeof(float) * codebooks * ENTRIES * (1 + length)), *weight = offset + codebooks * ENTRIES;
    lanes *entries = widened(table, codebooks, columns, wide), *total = zeros(sizeof(lanes) * BLOCK * wide);
    block *a = zeros(sizeof(block) * length), distance[ENTRIES];
    prepare(offset, weight, centroids, 1, codebooks * ENTRIES, length);
    for (long start = first; start < last; start += BLOCK) {
        long count = last - start < BLOCK ? last - start : BLOCK;
        memset(total, 0, sizeof(lanes) * BLOCK * wide);
        for (long k = 0; k < codebooks; k++) {
            uint8_t nearest[BLOCK];
            for (int v = 0; v < length; v++)
                load(a[v], x + (k * length + v) * rows + start, count);
            multiply(distance, offset + k * ENTRIES, weight + k * ENTRIES * length, length, 1, a, ENTRIES, length);
            search(nearest, distance);
            memcpy(index + k * rows + start, nearest, count);
            for (int n = 0; n < wide; n++)
                for (int i = 0; i < BLOCK; i++)
                    total[n * BLOCK + i] += entries[(k * wide + n) * ENTRIES + nearest[i]];
        }
        for (int n = 0; n < columns; n++)
            for (long i = 0; i < count; i++)
                sums[n * rows + start + i] = total[n / LANES * BLOCK + i][n % LANES];
    }
    free(offset), free(entries), free(total), free(a);
}

/* soft[c] = exp(logit[c]) / sum of them, then gain[c] = soft[c] * (gain[c] - sum over c of soft[c] * gain[c]) */
static void soften(block *gain, const block *logit)
{
    for (int j = 0; j < VECTORS; j++) {
        lanes top = logit[0][j], total = {0}, mean = {0}, soft[ENTRIES];
        for (int c = 1; c < ENTRIES; c++)
            top = larger(top, logit[c][j]);
        for (int c = 0; c < ENTRIES; c++) {
            soft[c] = power(logit[c][j] - top);
            total += soft[c];
            mean += soft[c] * gain[c][j];
        }
        lanes factor = 1 / total;
        mean *= factor;
        for (int c = 0; c < ENTRIES; c++)
            gain[c][j] = soft[c] * factor * (gain[c][j] - mean);
    }
}

/* sums[v][c] += gain[c] * x[v], lane by lane; v = length stands for the sum of the gains alone */
static void gather(lanes (*sums)[ENTRIES], const block *gain, const block *x, int length)
{
    for (int c = 0; c < ENTRIES; c++)
        for (int j = 0; j < VECTORS; j++)
            sums[length][c] += gain[c][j];
    for (int v = 0; v < length; v++)
        for (int c = 0; c < ENTRIES; c++)
            sums[v][c] += gain[c][0] * x[v][0] + gain[c][1] * x[v][1];
}

/* The slopes of x (unless null), centroids and table must be zero at the start; the result is that of sharpness. */
float lookup_backward(long codebooks, int length, int columns, long rows, const float *x, const float *centroids,
                      const float *table, float sharpness, const uint8_t *index, const float *slope,
                      float *x_slope, float *centroid_slope, float *table_slope, long first, long last)
{
    int wide = (columns + LANES - 1) / LANES;
    float *offset = malloc(sizeof(float) * codebooks * ENTRIES * (1 + length)), *weight = offset + codebooks * ENTRIES;
    lanes *turned = zeros(sizeof(lanes) * MANY * BLOCK * wide), *picked = zeros(sizeof(lanes) * ENTRIES * wide);
    lanes (*sums)[ENTRIES] = zeros(sizeof(*sums) * (length + 1)), sharper = {0};
    block *a = zeros(sizeof(block) * length), *out = zeros(sizeof(block) * length);
    block *g = zeros(sizeof(block) * MANY * columns), logit[ENTRIES], gain[ENTRIES];
    prepare(offset, weight, centroids, -sharpness, codebooks * ENTRIES, length);
    for (long outer = 0; outer < rows; outer += MANY * BLOCK) {
        long end = rows - outer < MANY * BLOCK ? rows : outer + MANY * BLOCK;
        for (long start = outer; start < end; start += BLOCK)
            for (int n = 0; n < columns; n++) {
                long count = end - start < BLOCK ? end - start : BLOCK;
                load(g[(start - outer) / BLOCK * columns + n], slope + n * rows + start, count);
                for (long i = 0; i < count; i++)
                    turned[n / LANES * MANY * BLOCK + start - outer + i][n % LANES] = slope[n * rows + start + i];
            }
        for (long k = first; k < last; k++) {
            const float *w = weight + k * ENTRIES * length;
            memset(sums, 0, sizeof(*sums) * (length + 1));
            for (long start = outer; start < end; start += BLOCK) {
                long count = end - start < BLOCK ? end - start : BLOCK;
                for (int v = 0; v < length; v++)
                    load(a[v], x + (k * length + v) * rows + start, count);
                multiply(logit, offset + k * ENTRIES, w, length, 1, a, ENTRIES, length);
                multiply(gain, NULL, table + k * ENTRIES * columns, columns, 1,
                         g + (start - outer) / BLOCK * columns, ENTRIES, columns);
                soften(gain, logit);
                gather(sums, gain, a, length);
                for (int c = 0; c < ENTRIES; c++)
                    sharper += gain[c][0] * logit[c][0] + gain[c][1] * logit[c][1];
                if (x_slope) {
                    multiply(out, NULL, w, 1, length, gain, length, ENTRIES);
                    for (int v = 0; v < length; v++)
                        memcpy(x_slope + (k * length + v) * rows + start, out[v], sizeof(float) * count);
                }
            }
            memset(picked, 0, sizeof(lanes) * ENTRIES * wide);
            for (int n = 0; n < wide; n++)
                for (long i = 0; i < end - outer; i++)
                    picked[n * ENTRIES + index[k * rows + outer + i]] += turned[n * MANY * BLOCK + i];
            for (int c = 0; c < ENTRIES; c++) {
                for (int n = 0; n < columns; n++)
                    table_slope[(k * ENTRIES + c) * columns + n] += picked[n / LANES * ENTRIES + c][n % LANES];
                float spread = added(sums[length][c]);
                for (int v = 0; v < length; v++)
                    centroid_slope[(k * ENTRIES + c) * length + v] +=
                        2 * sharpness * added(sums[v][c]) - w[c * length + v] * spread;
            }
        }
    }
    free(offset), free(turned), free(picked), free(sums), free(a), free(out), free(g);
    return added(sharper) / sharpness;
}
