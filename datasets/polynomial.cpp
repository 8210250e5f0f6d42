#include "datasets/polynomial.h"

#include <cmath>
#include <string>

#include "datasets/checks.h"
#include "datasets/regression_slice.h"

namespace innerloop {
namespace {

class Polynomial : public Dataset {
 public:
  explicit Polynomial(int64_t order) : order_(order) {
    spec_.name = "polynomial";
    spec_.description = kPolynomialDescription;
    spec_.input = {1};
    spec_.protocol =
        "y = sum c_i x^i, i = 0 .. " + std::to_string(order) + ", c_i ~ U[-1, 1] / 2^i, x ~ U[-2, 2]";
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split, const EpisodeShape& shape) const override { require_shape(spec_, shape); }

  void draw(Split, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t) const override {
    require_slice(spec_, shape, episodes, t);
    const auto coefficients = sample_polynomial(order_, stream);
    fill_regression_slice(spec_, shape, episodes, t, [&]<class T>(T* x, T* y, bool) {
      const double at = stream.uniform(-2, 2);
      double value = 0;
      for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c) value = value * at + *c;
      *x = static_cast<T>(at);
      *y = static_cast<T>(value);
    });
  }

 private:
  int64_t order_;
  DatasetSpec spec_;
};

}  // namespace

std::vector<double> sample_polynomial(int64_t order, Stream& stream) {
  std::vector<double> coefficients;
  for (int64_t i = 0; i <= order; ++i)
    coefficients.push_back(std::ldexp(stream.uniform(-1, 1), -static_cast<int>(i)));
  return coefficients;
}

std::unique_ptr<Dataset> make_polynomial(const PolynomialSettings& settings) {
  return std::make_unique<Polynomial>(settings.order);
}

}  // namespace innerloop
