/* Nearest centroid and table lookup, forward and backward, in one pass over the rows; soft_lookup.py holds the same in
 * PyTorch and says what the arguments are. Sixteen entries to a table; BLOCK rows at a time, side by side in vectors.
 * Threads share a call: of the forward pass each takes the rows first to last, of the backward pass the codebooks.
 */
#include "metrics.h"

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

void lookup_forward(int metric, long codebooks, int length, int columns, long rows, const float *x,
                    const float *centroids, const float *table, uint8_t *index, float *sums, long first, long last)
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
            const float *w = weight + k * ENTRIES * length, *p = centroids + k * ENTRIES * length;
            if (metric == L2)
                multiply(distance, offset + k * ENTRIES, w, length, 1, a, ENTRIES, length);
            else
                far(distance, p, a, length, metric);
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

/* The slopes of x (unless null), centroids and table must be zero at the start; the result is that of sharpness. */
float lookup_backward(int metric, long codebooks, int length, int columns, long rows, const float *x,
                      const float *centroids, const float *table, float sharpness, const uint8_t *index, const float *slope,
                      float *x_slope, float *centroid_slope, float *table_slope, long first, long last)
{
    int wide = (columns + LANES - 1) / LANES;
    float *offset = malloc(sizeof(float) * codebooks * ENTRIES * (1 + length)), *weight = offset + codebooks * ENTRIES;
    lanes *turned = zeros(sizeof(lanes) * MANY * BLOCK * wide), *picked = zeros(sizeof(lanes) * ENTRIES * wide);
    lanes (*sums)[ENTRIES] = zeros(sizeof(*sums) * (length + 1)), sharper = {0};
    block *a = zeros(sizeof(block) * length), *out = zeros(sizeof(block) * length);
    block *g = zeros(sizeof(block) * MANY * columns), logit[ENTRIES], gain[ENTRIES], distance[ENTRIES];
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
            const float *w = weight + k * ENTRIES * length, *p = centroids + k * ENTRIES * length;
            memset(sums, 0, sizeof(*sums) * (length + 1));
            for (long start = outer; start < end; start += BLOCK) {
                long count = end - start < BLOCK ? end - start : BLOCK;
                for (int v = 0; v < length; v++)
                    load(a[v], x + (k * length + v) * rows + start, count);
                if (metric == L2)
                    multiply(logit, offset + k * ENTRIES, w, length, 1, a, ENTRIES, length);
                else {
                    far(distance, p, a, length, metric);
                    for (int c = 0; c < ENTRIES; c++)
                        for (int j = 0; j < VECTORS; j++)
                            logit[c][j] = distance[c][j] * -sharpness;
                }
                multiply(gain, NULL, table + k * ENTRIES * columns, columns, 1,
                         g + (start - outer) / BLOCK * columns, ENTRIES, columns);
                soften(gain, logit);
                for (int c = 0; c < ENTRIES; c++)
                    sharper += gain[c][0] * logit[c][0] + gain[c][1] * logit[c][1];
                if (metric == L2)
                    gather(sums, gain, a, length);
                else
                    shift(sums, out, gain, distance, p, a, length, metric, sharpness);
                if (x_slope) {
                    if (metric == L2)
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
                for (int v = 0; v < length; v++)
                    centroid_slope[(k * ENTRIES + c) * length + v] += metric == L2
                        ? 2 * sharpness * added(sums[v][c]) - w[c * length + v] * added(sums[length][c])
                        : -added(sums[v][c]);
            }
        }
    }
    free(offset), free(turned), free(picked), free(sums), free(a), free(out), free(g);
    return added(sharper) / sharpness;
}
