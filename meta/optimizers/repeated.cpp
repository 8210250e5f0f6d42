#include "meta/optimizers/repeated.h"

#include <utility>

namespace innerloop {
namespace {

class Repeated : public MetaOptimizer {
 public:
  Repeated(std::unique_ptr<MetaOptimizer> one, int64_t epochs) : one_(std::move(one)), epochs_(epochs) {}

  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override {
    const Params state = one_->state();
    Params moving = meta;
    MetaStep all;
    try {
      all = one_->step(moving, problem, now);
      for (int64_t epoch = 1; epoch < epochs_; ++epoch) {
        const MetaStep last = one_->step(moving, problem, now);
        all.loss_after = last.loss_after;
        all.kl_after = last.kl_after;
      }
    } catch (...) {
      one_->restore(state);
      throw;
    }
    meta = std::move(moving);
    return all;
  }

  Params state() const override { return one_->state(); }
  void restore(const Params& state) override { one_->restore(state); }

 private:
  std::unique_ptr<MetaOptimizer> one_;
  int64_t epochs_;
};

}  // namespace

std::unique_ptr<MetaOptimizer> repeated(std::unique_ptr<MetaOptimizer> one, int64_t epochs) {
  return std::make_unique<Repeated>(std::move(one), epochs);
}

}  // namespace innerloop
