/* Distances from a block of sub-vectors to sixteen centroids, and their slopes; what L2 lacks is the same for all. */
#include "lanes.h"

enum { L2, L1, CHEBYSHEV };

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

/* L1 or Chebyshev distances to the centroids p */
static inline __attribute__((always_inline)) void measure(block *distance, const float *p, const block *x, int length,
                                                          int metric)
{
    for (int c = 0; c < ENTRIES; c++, p += length)
        for (int j = 0; j < VECTORS; j++) {
            lanes far = {0};
            for (int v = 0; v < length; v++) {
                lanes one = magnitude(x[v][j] - p[v]);
                far = metric == L1 ? far + one : larger(far, one);
            }
            distance[c][j] = far;
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

/* Divides the gain of each centroid among the scalars that are as far from it as the farthest one. */
static void divide(block *gain, const block *distance, const float *p, const block *x, int length)
{
    for (int c = 0; c < ENTRIES; c++, p += length)
        for (int j = 0; j < VECTORS; j++) {
            lanes equal = {0};
            for (int v = 0; v < length; v++)
                equal += where(magnitude(x[v][j] - p[v]) == distance[c][j], (lanes){0} + 1);
            gain[c][j] /= equal;
        }
}

/* out[v] = sum over c of gain[c] * t, sums[v][c] += gain[c] * t, lane by lane, with t the slope of distance by x[v]:
 * the sign of x[v] - p[c][v]; for Chebyshev only where that is the farthest scalar.
 */
static inline __attribute__((always_inline)) void spread(lanes (*sums)[ENTRIES], block *out, const block *gain,
                                                         const block *distance, const float *p, const block *x,
                                                         int length, int metric)
{
    for (int v = 0; v < length; v++)
        for (int j = 0; j < VECTORS; j++) {
            lanes total = {0};
            for (int c = 0; c < ENTRIES; c++) {
                lanes by = x[v][j] - p[c * length + v], most = distance[c][j];
                lanes term = metric == L1 ? where(by > 0, gain[c][j]) - where(by < 0, gain[c][j])
                                          : where(by == most, gain[c][j]) - where(by == -most, gain[c][j]);
                sums[v][c] += term;
                total += term;
            }
            out[v][j] = total;
        }
}

static void far(block *distance, const float *p, const block *x, int length, int metric)
{
    if (metric == L1)
        measure(distance, p, x, length, L1);
    else
        measure(distance, p, x, length, CHEBYSHEV);
}

/* The slopes of softmax(-sharpness * distance) from the gains, which are used up: see spread. */
static void shift(lanes (*sums)[ENTRIES], block *out, block *gain, const block *distance, const float *p,
                  const block *x, int length, int metric, float sharpness)
{
    if (metric == CHEBYSHEV)
        divide(gain, distance, p, x, length);
    for (int c = 0; c < ENTRIES; c++)
        for (int j = 0; j < VECTORS; j++)
            gain[c][j] *= -sharpness;
    if (metric == L1)
        spread(sums, out, gain, distance, p, x, length, L1);
    else
        spread(sums, out, gain, distance, p, x, length, CHEBYSHEV);
}
