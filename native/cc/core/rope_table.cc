#include "core/rope_table.h"

#include <cmath>
#include <vector>

namespace bitnet {

// ln(x) for x > 0 by x = m * 2^e, ln m = 2 atanh((m - 1) / (m + 1)). frexp and ldexp are exact.
double series_log(double x) {
  int e = 0;
  double m = std::frexp(x, &e);
  if (m < 0.70710678118654752440) {
    m *= 2;
    e -= 1;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double sum = 0;
  for (int k = 41; k >= 1; k -= 2) sum = std::fma(sum, s2, 1.0 / k);
  return 2 * s * sum + e * 0.69314718055994530942;
}

namespace {

double series_exp(double x) {
  const double n = std::rint(x * 1.44269504088896340736);
  double r = std::fma(n, -6.93147180369123816490e-01, x);
  r = std::fma(n, -1.90821492927058770002e-10, r);
  double sum = 1;
  for (int k = 20; k >= 1; --k) sum = std::fma(sum, r / k, 1.0);
  return std::ldexp(sum, static_cast<int>(n));
}

// angle >= 0 and below about 1e6: Cody-Waite reduction by pi / 2 in three parts of 33 bits, then Taylor
// series.
void series_sincos(double angle, double* sine, double* cosine) {
  const double n = std::rint(angle * 6.36619772367581382433e-01);
  double r = std::fma(n, -1.57079632673412561417e+00, angle);
  r = std::fma(n, -6.07710050630396597660e-11, r);
  r = std::fma(n, -2.02226624879595063154e-21, r);
  const double r2 = r * r;
  double s = 1, c = 1;
  for (int k = 10; k >= 1; --k) {
    s = std::fma(s, -r2 / ((2.0 * k) * (2.0 * k + 1)), 1.0);
    c = std::fma(c, -r2 / ((2.0 * k - 1) * (2.0 * k)), 1.0);
  }
  s *= r;
  switch (static_cast<int64_t>(n) & 3) {
    case 0:
      *sine = s;
      *cosine = c;
      break;
    case 1:
      *sine = c;
      *cosine = -s;
      break;
    case 2:
      *sine = -s;
      *cosine = -c;
      break;
    default:
      *sine = -c;
      *cosine = s;
      break;
  }
}

}  // namespace

void fill_rope_table(int64_t first, int64_t positions, const Rope& rope, float* cosine, float* sine) {
  const int64_t half = rope.head_dim / 2;
  const double log_theta = series_log(rope.theta);
  std::vector<float> inverse_frequency(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) {
    const size_t at = static_cast<size_t>(i);
    inverse_frequency[at] = static_cast<float>(
        series_exp(-(2.0 * static_cast<double>(i) / static_cast<double>(rope.head_dim)) * log_theta));
    if (!rope.factors.empty()) inverse_frequency[at] /= rope.factors[at];
  }
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(first + p) * inverse_frequency[static_cast<size_t>(i)];
      double s, c;
      series_sincos(angle, &s, &c);
      cosine[p * half + i] = static_cast<float>(c) * rope.magnitude;
      sine[p * half + i] = static_cast<float>(s) * rope.magnitude;
    }
  }
}

}  // namespace bitnet
