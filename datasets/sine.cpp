#include "datasets/sine.h"

#include <numbers>

#include "datasets/checks.h"
#include "datasets/regression_slice.h"

namespace innerloop {
namespace {

class Sine : public Dataset {
 public:
  explicit Sine(bool observe_task) : observe_task_(observe_task) {
    spec_.name = "sine";
    spec_.description = kSineDescription;
    spec_.input = {observe_task ? 3 : 1};
    spec_.protocol = "y = A sin(x - phase), A ~ U[0.1, 5], phase ~ U[0, pi], x ~ U[-5, 5]";
    if (observe_task) spec_.protocol += "; inputs x, A, phase";
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split, const EpisodeShape& shape) const override { require_shape(spec_, shape); }

  void draw(Split, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t) const override {
    require_slice(spec_, shape, episodes, t);
    const auto task = sample_sine_task(stream);
    fill_regression_slice(spec_, shape, episodes, t, [&]<class T>(T* x, T* y, bool) {
      const double at = stream.uniform(-5, 5);
      x[0] = static_cast<T>(at);
      if (observe_task_) {
        x[1] = static_cast<T>(task.amplitude);
        x[2] = static_cast<T>(task.phase);
      }
      *y = static_cast<T>(task(at));
    });
  }

 private:
  bool observe_task_;
  DatasetSpec spec_;
};

}  // namespace

SineTask sample_sine_task(Stream& stream) {
  SineTask task;
  task.amplitude = stream.uniform(0.1, 5);
  task.phase = stream.uniform(0, std::numbers::pi);
  return task;
}

std::unique_ptr<Dataset> make_sine(const SineSettings& settings) {
  return std::make_unique<Sine>(settings.observe_task);
}

}  // namespace innerloop
