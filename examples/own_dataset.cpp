// MAML on a data set of one's own: parabolas y = a x^2 + b of unknown a and b, from five points each.
#include <innerloop/meta/algorithms/registry.h>
#include <innerloop/meta/supervised/supervised_meta_learner.h>

#include <iostream>

using namespace innerloop;

class Parabolas : public Dataset {
 public:
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}  // any shape can be drawn
  void draw(Split, const EpisodeShape&, Stream& stream, Episodes& tasks, int64_t t) const override {
    const double a = stream.uniform(-1, 1), b = stream.uniform(-1, 1);
    for (const auto& [x, y] :
         {std::pair(tasks.support_x[t], tasks.support_y[t]), std::pair(tasks.query_x[t], tasks.query_y[t])}) {
      for (int64_t i = 0; i < x.numel(); ++i) {
        const double at = stream.uniform(-2, 2);
        x.data_ptr<float>()[i] = static_cast<float>(at);
        y.data_ptr<float>()[i] = static_cast<float>(a * at * at + b);
      }
    }
  }

 private:
  DatasetSpec spec_{.name = "parabolas", .description = "", .input = {1}, .protocol = ""};
};

int main() {
  SupervisedMetaConfig config;
  config.shape = {.ways = 1, .shots = 5, .queries = 10};
  config.network.own = {{"hidden", "40,40"}};
  config.inner.step_size = 0.05;
  config.optimizer = {.name = "adam", .step_size = 1e-2};

  ThreadPool threads(2);
  SupervisedMetaLearner learner(config, find_algorithm("maml"), std::make_unique<Parabolas>(), threads);
  for (int64_t i = 0; i <= 500; ++i) {
    const auto loss = learner.iterate(i).query_loss;
    if (i % 100 == 0) std::cout << "iteration " << i << ": loss " << loss << " after a gradient step\n";
  }
}
