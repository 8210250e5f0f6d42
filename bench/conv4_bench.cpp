// What conv4's derivatives cost through Conv4::loss_at beside LibTorch's operations and autograd, on one
// thread, per task:
//   OPENBLAS_NUM_THREADS=1 conv4_bench [REPETITIONS [NAME]]     (default 20, all shapes whose name holds
//   NAME)
//
// Processor time of the thread, the best of the repetitions, so that a busy machine reads like a quiet one.
// Gflop/s counts two per multiply-add of the products each pass needs, without those in the padding, the same
// for both sides; "peak" is a loop of nothing but fused multiply-adds, run between the repetitions.
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/allocator.h"
#include "networks/conv4.h"
#include "networks/kernels/conv4_plan.h"
#include "networks/kernels/panel_kernels.h"

namespace {

using namespace innerloop;

double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double peak() {  // flop/s
  using Vector = PanelKernels<float>::Vector;
  constexpr int kChains = kVectorBytes == 64 ? 24 : 12, kRounds = 100000;
  volatile float factor = 0.999f, term = 1e-3f;
  const Vector a = Vector{} + factor, b = Vector{} + term;
  Vector c[kChains];
  for (int k = 0; k < kChains; ++k) c[k] = Vector{} + static_cast<float>(k);  // none is another's copy
  const double start = seconds();
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 24
    for (int k = 0; k < kChains; ++k) c[k] = c[k] * a + b;
  }
  const double taken = seconds() - start;
#pragma GCC unroll 24
  for (int k = 1; k < kChains; ++k) c[0] += c[k];
  volatile float kept = c[0][0];
  (void)kept;
  return 2.0 * kChains * PanelKernels<float>::kLanes * kRounds / taken;
}

struct Setting {
  const char* name;
  Conv4Config config;
  int64_t samples;
  bool curvature;  // a support set: its Hessian product is asked for
};

// Multiply-adds of a forward pass with `first` products in the first stage and `rest` in the others.
double flops(const Setting& setting, double first, double rest) {
  const auto& c = setting.config;
  const Conv4Plan plan({c.channels, c.height, c.width, c.filters, c.outputs, c.max_pool, c.mean_head, 1e-5},
                       setting.samples, c.filters, 4);
  double sum = 0;
  for (size_t l = 0; l < Conv4Plan::kStages; ++l) {
    const auto& stage = plan.stages[l];
    double meetings = 0;
    for (const auto& one : stage.forward.classes) {
      meetings += static_cast<double>(one.per_item) * static_cast<double>(one.taps.size());
    }
    if (l == 0) meetings *= static_cast<double>(stage.height);
    sum += (l == 0 ? first : rest) * meetings * static_cast<double>(stage.depth * c.filters);
  }
  return 2 * sum * static_cast<double>(setting.samples);
}

struct Times {
  double gradient = 1e9, product = 1e9;
};

void once(LossAt& at, const Params* direction, double start, Times& times) {
  at.gradient();
  const double middle = seconds();
  times.gradient = std::min(times.gradient, middle - start);
  if (direction == nullptr) return;
  at.hessian_product(*direction);
  times.product = std::min(times.product, seconds() - middle);
}

void run(const Setting& setting, int repetitions, const std::string& chosen) {
  if (std::string(setting.name).find(chosen) == std::string::npos) return;
  const Conv4 network(setting.config);
  const auto& c = setting.config;
  torch::manual_seed(1);
  Stream stream(StreamKey{});
  const auto params = network.initial(stream);
  const auto direction = params.map([](const torch::Tensor& t) { return torch::randn_like(t); });
  const auto x = torch::randn({1, setting.samples, c.channels, c.height, c.width});
  const auto loss =
      OutputLoss::cross_entropy(torch::arange(setting.samples).remainder(c.outputs).view({1, -1}), 1.0);
  Times kernels, libtorch;
  double best_peak = 0;
  for (int i = 0; i < repetitions; ++i) {
    best_peak = std::max(best_peak, peak());
    double start = seconds();
    once(*network.loss_at(params, x, loss), setting.curvature ? &direction : nullptr, start, kernels);
    if (i >= std::max(3, repetitions / 5)) continue;
    start = seconds();
    once(*autograd_loss([&](const Params& p) { return loss(network.forward(p, x)); }, params),
         setting.curvature ? &direction : nullptr, start, libtorch);
  }
  const auto row = [&](const char* what, double taken, double other, double count) {
    std::printf("%-28s %-16s %9.3f ms %6.0f Gflop/s %4.0f %% %11.3f ms %6.1f\n", setting.name, what,
                1e3 * taken, count / taken * 1e-9, 100 * count / taken / best_peak, 1e3 * other,
                other / taken);
  };
  row("loss + gradient", kernels.gradient, libtorch.gradient, flops(setting, 2, 3));
  if (setting.curvature) row("Hessian product", kernels.product, libtorch.product, flops(setting, 2, 6));
}

}  // namespace

int main(int argc, char* argv[]) {
  keep_freed_memory();
  at::set_num_threads(1);
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 20;
  const std::string chosen = argc > 2 ? argv[2] : "";
  const Conv4Config omniglot{.filters = 64, .outputs = 5};
  Conv4Config twenty = omniglot;
  twenty.outputs = 20;
  const Conv4Config mini{.channels = 3,
                         .height = 84,
                         .width = 84,
                         .filters = 32,
                         .max_pool = true,
                         .mean_head = false,
                         .outputs = 5};
  std::printf("%-28s %-16s %12s %14s %6s %14s %6s\n", "per task", "pass", "kernels", "", "peak", "LibTorch",
              "ratio");
  run({"Omniglot 5-way, 5 images", omniglot, 5, true}, 10 * repetitions, chosen);
  run({"Omniglot 5-way, 75 images", omniglot, 75, false}, repetitions, chosen);
  run({"Omniglot 20-way, 20 images", twenty, 20, true}, repetitions, chosen);
  run({"mini-ImageNet, 5 images", mini, 5, true}, repetitions, chosen);
  run({"mini-ImageNet, 75 images", mini, 75, false}, std::max(3, repetitions / 4), chosen);
  std::printf("peak: %.0f Gflop/s\n", 1e-9 * peak());
  return 0;
}
