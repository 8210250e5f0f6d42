#include "datasets/noisy_sine.h"

#include <cmath>
#include <numbers>
#include <optional>

#include "base/error.h"
#include "datasets/checks.h"
#include "datasets/regression_slice.h"

namespace innerloop {
namespace {

struct Curve {
  double amplitude, frequency, phase;
  double operator()(double x) const { return amplitude * std::sin(frequency * x - phase); }
};

Curve sample_curve(Stream& stream) {
  Curve curve{};
  curve.amplitude = stream.uniform(0.1, 5);
  curve.frequency = stream.uniform(0.5, 2);
  curve.phase = stream.uniform(0, 2 * std::numbers::pi);
  return curve;
}

class NoisySine : public Dataset {
 public:
  explicit NoisySine(const NoisySineSettings& settings) : settings_(settings) {
    spec_.name = "noisy_sine";
    spec_.description = kNoisySineDescription;
    spec_.input = {1};
    spec_.protocol =
        concat("y = A sin(w x - phase) + ", settings.noise,
               " A e, A ~ U[0.1, 5], w ~ U[0.5, 2], phase ~ U[0, 2 pi], x ~ U[-5, 5], e ~ N(0, 1); ");
    if (settings.training_tasks == 0) {
      spec_.protocol += "new tasks in training always";
    } else {
      spec_.protocol += concat(settings.training_tasks, " training tasks with fixed samples (tasks_seed ",
                               settings.tasks_seed, ")");
    }
    spec_.protocol += "; held-out queries without noise";
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split, const EpisodeShape& shape) const override { require_shape(spec_, shape); }

  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    require_slice(spec_, shape, episodes, t);
    const bool training = split == Split::kTrain;
    std::optional<Stream> fixed;
    if (training && settings_.training_tasks > 0) {
      fixed.emplace(StreamKey{.seed = static_cast<uint64_t>(settings_.tasks_seed),
                              .purpose = Purpose::kFixedTask,
                              .task = stream.below(static_cast<uint64_t>(settings_.training_tasks))});
    }
    Stream& source = fixed ? *fixed : stream;
    const auto task = sample_curve(source);
    const double deviation = settings_.noise * task.amplitude;
    fill_regression_slice(spec_, shape, episodes, t, [&]<class T>(T* x, T* y, bool query) {
      const double at = source.uniform(-5, 5), noise = deviation * source.normal();
      *x = static_cast<T>(at);
      *y = static_cast<T>(task(at) + (training || !query ? noise : 0));
    });
  }

 private:
  NoisySineSettings settings_;
  DatasetSpec spec_;
};

}  // namespace

std::unique_ptr<Dataset> make_noisy_sine(const NoisySineSettings& settings) {
  return std::make_unique<NoisySine>(settings);
}

}  // namespace innerloop
