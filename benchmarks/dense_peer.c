/* Steps of a 5-50-1 network, tanh, mean squared error, Adam, 80 points: the loop that somebody would write by hand. */
#include <math.h>

enum { WIDTH = 50, SAMPLES = 80, ENTRIES = 6, WEIGHTS = WIDTH * (ENTRIES + 1) + 1 };

/* tanh as a quotient of polynomials, to some units in the last place */
static inline float fast_tanh(float x)
{
    x = x > 7.99f ? 7.99f : (x < -7.99f ? -7.99f : x);
    float s = x * x;
    float p = -2.76076847742355e-16f;
    p = p * s + 2.00018790482477e-13f;
    p = p * s + -8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    float q = 1.19825839466702e-06f;
    q = q * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
}

/* weights, means and squares are (members, WEIGHTS): kernels with their bias, output weights, output bias */
void run(float *weights, float *means, float *squares, const float *x, const float *y, int members, int taken, int steps)
{
    static float h[WIDTH][SAMPLES];
    float out[SAMPLES], e[SAMPLES], g[WEIGHTS];
    for (int s = 0; s < members; s++) {
        float *w = weights + s * WEIGHTS, *a = w + WIDTH * ENTRIES, *mean = means + s * WEIGHTS, *square = squares + s * WEIGHTS;
        for (int t = taken + 1; t <= taken + steps; t++) {
            for (int n = 0; n < SAMPLES; n++)
                out[n] = w[WEIGHTS - 1];
            for (int m = 0; m < WIDTH; m++) {
                const float *k = w + m * ENTRIES;
                for (int n = 0; n < SAMPLES; n++) {
                    float z = 0;
                    for (int i = 0; i < ENTRIES; i++)
                        z += k[i] * x[i * SAMPLES + n];
                    h[m][n] = fast_tanh(z);
                    out[n] += a[m] * h[m][n];
                }
            }
            float sum = 0;
            for (int n = 0; n < SAMPLES; n++) {
                e[n] = (out[n] - y[n]) / SAMPLES;
                sum += e[n];
            }
            g[WEIGHTS - 1] = sum;
            for (int m = 0; m < WIDTH; m++) {
                float am = a[m], sa = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0;
                for (int n = 0; n < SAMPLES; n++) {
                    float q = h[m][n], d = am * e[n] * (1 - q * q);
                    sa += e[n] * q;
                    s0 += d * x[n];
                    s1 += d * x[SAMPLES + n];
                    s2 += d * x[2 * SAMPLES + n];
                    s3 += d * x[3 * SAMPLES + n];
                    s4 += d * x[4 * SAMPLES + n];
                    s5 += d * x[5 * SAMPLES + n];
                }
                float *k = g + m * ENTRIES;
                k[0] = s0, k[1] = s1, k[2] = s2, k[3] = s3, k[4] = s4, k[5] = s5;
                g[WIDTH * ENTRIES + m] = sa;
            }
            float rate = 1e-4f / (1 - powf(.9f, t)), root = sqrtf(1 - powf(.999f, t));
            for (int i = 0; i < WEIGHTS; i++) {
                mean[i] = .9f * mean[i] + .1f * g[i];
                square[i] = .999f * square[i] + .001f * g[i] * g[i];
                w[i] -= rate * mean[i] / (sqrtf(square[i]) / root + 1e-8f);
            }
        }
    }
}
