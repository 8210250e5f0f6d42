#include "meta/algorithms/support_batches.h"

#include <utility>

namespace innerloop {
namespace {

class SupportBatches : public Task {
 public:
  SupportBatches(const EpisodeTask& tasks, SupportChoice choice)
      : tasks_(tasks), choice_(std::move(choice)) {}

  int64_t size() const override { return tasks_.size(); }

  torch::Tensor loss(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).loss(part, params, step) : tasks_.loss(part, params, step);
  }

  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).loss_at(part, params, step) : tasks_.loss_at(part, params, step);
  }

  torch::Tensor value(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).value(part, params, step) : tasks_.value(part, params, step);
  }

 private:
  bool cuts(Part part) const { return part == Part::kSupport && choice_; }

  EpisodeTask at(int64_t step) const {
    Episodes slice = tasks_.episodes();
    std::vector<torch::Tensor> x, y;
    for (int64_t t = 0; t < size(); ++t) {
      const torch::Tensor chosen = torch::tensor(choice_(t, step), torch::kInt64);
      x.push_back(slice.support_x[t].index_select(0, chosen));
      y.push_back(slice.support_y[t].index_select(0, chosen));
    }
    slice.support_x = torch::stack(x);
    slice.support_y = torch::stack(y);
    return tasks_.with(std::move(slice));
  }

  const EpisodeTask& tasks_;
  SupportChoice choice_;
};

}  // namespace

std::unique_ptr<Task> support_batches(const EpisodeTask& tasks, SupportChoice choice) {
  return std::make_unique<SupportBatches>(tasks, std::move(choice));
}

}  // namespace innerloop
