/* Nearest centroid and table lookup, forward and backward, in one pass over the rows; soft_lookup.py holds the same in
 * PyTorch and says what the arguments are. Sixteen entries to a table; BLOCK rows at a time, side by side in vectors.
 * Threads share a call: of the forward pass each takes the rows first to last, of the backward pass the codebooks.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 16, LANES = 16, VECTORS = 2, BLOCK = LANES * VECTORS, MANY = 16 };
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef lanes block[VECTORS];

static void load(block out, const float *from, long count)
{
    memset(out, 0, sizeof(block));
    memcpy(out, from, sizeof(float) * count);
}

/* out[c] = offset[c] + sum over v of weight[c][v] * x[v] */
static void products(block *out, const float *offset, const float *weight, const block *x, int length)
{
    for (int c = 0; c < ENTRIES; c++) {
        lanes a = {0}, b = {0};
        a += offset[c];
        b += offset[c];
        for (int v = 0; v < length; v++) {
            a += weight[c * length + v] * x[v][0];
            b += weight[c * length + v] * x[v][1];
        }
        out[c][0] = a;
        out[c][1] = b;
    }
}

/* As products, for many terms: four outputs share each load of x. */
static void gains(block *out, const float *weight, const block *x, int length)
{
    for (int c = 0; c < ENTRIES; c += 4) {
        const float *w = weight + c * length;
        lanes a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0}, c0 = {0}, c1 = {0}, d0 = {0}, d1 = {0};
        for (int v = 0; v < length; v++) {
            lanes p = x[v][0], q = x[v][1];
            a0 += w[v] * p, a1 += w[v] * q;
            b0 += w[length + v] * p, b1 += w[length + v] * q;
            c0 += w[2 * length + v] * p, c1 += w[2 * length + v] * q;
            d0 += w[3 * length + v] * p, d1 += w[3 * length + v] * q;
        }
        out[c][0] = a0, out[c][1] = a1, out[c + 1][0] = b0, out[c + 1][1] = b1;
        out[c + 2][0] = c0, out[c + 2][1] = c1, out[c + 3][0] = d0, out[c + 3][1] = d1;
    }
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

void lookup_forward(long codebooks, int length, int columns, long rows, const float *x, const float *centroids,
                    const float *table, uint8_t *index, float *sums, long first, long last)
{
    float *offset = malloc(sizeof(float) * codebooks * ENTRIES * (1 + length)), *weight = offset + codebooks * ENTRIES;
    float *total = malloc(sizeof(float) * BLOCK * columns);
    block *a = aligned_alloc(64, sizeof(block) * length), distance[ENTRIES];
    prepare(offset, weight, centroids, 1, codebooks * ENTRIES, length);
    for (long start = first; start < last; start += BLOCK) {
        long count = last - start < BLOCK ? last - start : BLOCK;
        memset(total, 0, sizeof(float) * BLOCK * columns);
        for (long k = 0; k < codebooks; k++) {
            for (int v = 0; v < length; v++)
                load(a[v], x + (k * length + v) * rows + start, count);
            products(distance, offset + k * ENTRIES, weight + k * ENTRIES * length, a, length);
            float best[BLOCK];
            int32_t chosen[BLOCK] = {0};
            memcpy(best, distance[0], sizeof best);
            for (int c = 1; c < ENTRIES; c++) {
                const float *d = (const float *)distance[c];
                for (int i = 0; i < BLOCK; i++) {
                    chosen[i] = d[i] < best[i] ? c : chosen[i];
                    best[i] = d[i] < best[i] ? d[i] : best[i];
                }
            }
            for (long i = 0; i < count; i++) {
                const float *entry = table + (k * ENTRIES + chosen[i]) * columns;
                index[k * rows + start + i] = chosen[i];
                for (int n = 0; n < columns; n++)
                    total[i * columns + n] += entry[n];
            }
        }
        for (int n = 0; n < columns; n++)
            for (long i = 0; i < count; i++)
                sums[n * rows + start + i] = total[i * columns + n];
    }
    free(offset), free(total), free(a);
}

/* soft[c] = exp(logit[c]) / sum of them, then gain[c] = soft[c] * (gain[c] - sum over c of soft[c] * gain[c]) */
static void soften(block *gain, const block *logit)
{
    float top[BLOCK], total[BLOCK] = {0}, mean[BLOCK] = {0}, soft[ENTRIES][BLOCK];
    float *slope[ENTRIES];
    memcpy(top, logit[0], sizeof top);
    for (int c = 0; c < ENTRIES; c++) {
        const float *l = (const float *)logit[c];
        slope[c] = (float *)gain[c];
        for (int i = 0; i < BLOCK; i++)
            top[i] = l[i] > top[i] ? l[i] : top[i];
    }
    for (int c = 0; c < ENTRIES; c++) {
        const float *l = (const float *)logit[c];
        for (int i = 0; i < BLOCK; i++) {
            soft[c][i] = expf(l[i] - top[i]);
            total[i] += soft[c][i];
            mean[i] += soft[c][i] * slope[c][i];
        }
    }
    for (int c = 0; c < ENTRIES; c++)
        for (int i = 0; i < BLOCK; i++)
            slope[c][i] = soft[c][i] / total[i] * (slope[c][i] - mean[i] / total[i]);
}

static float added(lanes x)
{
    float total = 0;
    for (int i = 0; i < LANES; i++)
        total += x[i];
    return total;
}

/* sums[c][v] += gain[c] * x[v], lane by lane; v = length stands for the sum of the gains alone */
static void gather(lanes *sums, const block *gain, const block *x, int length)
{
    for (int c = 0; c < ENTRIES; c++, sums += length + 1) {
        for (int v = 0; v < length; v++)
            sums[v] += gain[c][0] * x[v][0] + gain[c][1] * x[v][1];
        sums[length] += gain[c][0] + gain[c][1];
    }
}

/* The slopes of x (unless null), centroids and table must be zero at the start; the result is that of sharpness. */
float lookup_backward(long codebooks, int length, int columns, long rows, const float *x, const float *centroids,
                      const float *table, float sharpness, const uint8_t *index, const float *slope,
                      float *x_slope, float *centroid_slope, float *table_slope, long first, long last)
{
    float *offset = malloc(sizeof(float) * codebooks * ENTRIES * (1 + length)), *weight = offset + codebooks * ENTRIES;
    float *turned = malloc(sizeof(float) * MANY * BLOCK * columns);
    lanes *sums = aligned_alloc(64, sizeof(lanes) * ENTRIES * (length + 1)), sharper = {0};
    block *a = aligned_alloc(64, sizeof(block) * length), *g = aligned_alloc(64, sizeof(block) * MANY * columns);
    block logit[ENTRIES], gain[ENTRIES];
    prepare(offset, weight, centroids, -sharpness, codebooks * ENTRIES, length);
    for (long outer = 0; outer < rows; outer += MANY * BLOCK) {
        long end = rows - outer < MANY * BLOCK ? rows : outer + MANY * BLOCK;
        for (long start = outer; start < end; start += BLOCK)
            for (int n = 0; n < columns; n++) {
                long count = end - start < BLOCK ? end - start : BLOCK;
                load(g[(start - outer) / BLOCK * columns + n], slope + n * rows + start, count);
                for (long i = 0; i < count; i++)
                    turned[(start - outer + i) * columns + n] = slope[n * rows + start + i];
            }
        for (long k = first; k < last; k++) {
            const float *w = weight + k * ENTRIES * length;
            memset(sums, 0, sizeof(lanes) * ENTRIES * (length + 1));
            for (long start = outer; start < end; start += BLOCK) {
                long count = end - start < BLOCK ? end - start : BLOCK;
                for (int v = 0; v < length; v++)
                    load(a[v], x + (k * length + v) * rows + start, count);
                products(logit, offset + k * ENTRIES, w, a, length);
                gains(gain, table + k * ENTRIES * columns, g + (start - outer) / BLOCK * columns, columns);
                soften(gain, logit);
                gather(sums, gain, a, length);
                for (int c = 0; c < ENTRIES; c++)
                    sharper += gain[c][0] * logit[c][0] + gain[c][1] * logit[c][1];
                for (int v = 0; x_slope && v < length; v++) {
                    block out = {{0}};
                    for (int c = 0; c < ENTRIES; c++) {
                        out[0] += w[c * length + v] * gain[c][0];
                        out[1] += w[c * length + v] * gain[c][1];
                    }
                    memcpy(x_slope + (k * length + v) * rows + start, out, sizeof(float) * count);
                }
            }
            for (long i = outer; i < end; i++) {
                float *entry = table_slope + (k * ENTRIES + index[k * rows + i]) * columns;
                for (int n = 0; n < columns; n++)
                    entry[n] += turned[(i - outer) * columns + n];
            }
            for (int c = 0; c < ENTRIES; c++)
                for (int v = 0; v < length; v++)
                    centroid_slope[(k * ENTRIES + c) * length + v] +=
                        2 * sharpness * added(sums[c * (length + 1) + v])
                        - w[c * length + v] * added(sums[c * (length + 1) + length]);
        }
    }
    free(offset), free(turned), free(sums), free(a), free(g);
    return added(sharper) / sharpness;
}
