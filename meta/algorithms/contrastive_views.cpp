#include "meta/algorithms/contrastive_views.h"

#include <ATen/ops/arange.h>

#include <algorithm>

#include "base/error.h"
#include "datasets/image_operations.h"

namespace innerloop {
namespace {

// What streams of an image, or of a mini-batch, are drawn for; 0 and 1 are its views.
constexpr uint32_t kTurnOfImage = 2, kMixOfQueries = 3, kTurnOfView = 4;

}  // namespace

ContrastiveViews::ContrastiveViews(const ContrastiveConfig& config, const DatasetSpec& spec)
    : config_(config), augmentation_(config.views, spec, "contrastive") {
  channels_ = spec.input[0], height_ = spec.input[1], width_ = spec.input[2];
  require_usage(height_ == width_ || (config.turn == 0 && config.rotation_weight == 0),
                "contrastive.turn and contrastive.rotation_weight: ", config.turn, " and ",
                config.rotation_weight, " found, expected 0: only square images can be turned, those of ",
                spec.name, " are ", height_, " x ", width_);
}

int64_t ContrastiveViews::turned_views() const {
  if (config_.rotation_weight == 0) return 0;
  const auto all = static_cast<double>(2 * config_.images);
  return std::max<int64_t>(1, static_cast<int64_t>(config_.rotation_share * all));
}

Stream ContrastiveViews::stream(const Moment& now, int64_t task, int64_t place, uint32_t of) const {
  return Stream({now.seed, Purpose::kAugmentation, static_cast<uint64_t>(now.iteration),
                 static_cast<uint64_t>(now.first_task + task), static_cast<uint64_t>(place), of});
}

ContrastiveViews::Mix ContrastiveViews::mix(const Moment& now, int64_t task) const {
  Stream draws = stream(now, task, 0, kMixOfQueries);
  Mix out;
  out.linear = draws.uniform() < config_.mixup;
  out.lambda = symmetric_beta(config_.cutmix_beta, draws);
  if (out.linear) return out;
  const auto row = static_cast<int64_t>(draws.below(static_cast<uint64_t>(height_)));
  const auto column = static_cast<int64_t>(draws.below(static_cast<uint64_t>(width_)));
  out.box = cut_box(height_, width_, out.lambda, row, column);
  const int64_t cut = (out.box.bottom - out.box.top) * (out.box.right - out.box.left);
  out.lambda = 1 - static_cast<double>(cut) / static_cast<double>(height_ * width_);
  return out;
}

std::vector<int64_t> ContrastiveViews::turns(const Moment& now, int64_t task) const {
  Stream draws = stream(now, task, 0, kTurnOfView);
  std::vector<int64_t> out(static_cast<size_t>(turned_views()));
  for (auto& turn : out) turn = static_cast<int64_t>(draws.below(4));
  return out;
}

void ContrastiveViews::draw_views(const float* images, const Moment& now, int64_t task, float* first,
                                  float* second) const {
  const ImageShape shape{channels_, height_, width_};
  std::vector<float> upright(static_cast<size_t>(shape.size()));
  for (int64_t i = 0; i < config_.images; ++i, images += shape.size()) {
    int64_t quarters = 0;
    if (config_.turn > 0) {
      Stream draws = stream(now, task, i, kTurnOfImage);
      if (draws.uniform() < config_.turn) quarters = static_cast<int64_t>(draws.below(4));
    }
    for (const uint32_t view : {0, 1}) {
      Stream draws = stream(now, task, i, view);
      float* to = (view == 0 ? first : second) + i * shape.size();
      augmentation_.draw(images, draws, quarters == 0 ? to : upright.data());
      if (quarters != 0) turned(shape, upright.data(), quarters, to);
    }
  }
}

void ContrastiveViews::draw_mixed(const float* second, const Mix& mix, float* to) const {
  const ImageShape shape{channels_, height_, width_};
  const auto own = static_cast<float>(mix.lambda), others = static_cast<float>(1 - mix.lambda);
  for (int64_t i = 0; i < config_.images; ++i, to += shape.size()) {
    const float* mine = second + i * shape.size();
    const float* theirs = second + (config_.images - 1 - i) * shape.size();
    if (mix.linear) {
      for (int64_t p = 0; p < shape.size(); ++p) to[p] = own * mine[p] + others * theirs[p];
      continue;
    }
    std::copy_n(mine, shape.size(), to);
    for (int64_t row = 0; row < channels_ * height_; ++row) {
      const int64_t in_channel = row % height_;
      if (in_channel < mix.box.top || in_channel >= mix.box.bottom) continue;
      std::copy(theirs + row * width_ + mix.box.left, theirs + row * width_ + mix.box.right,
                to + row * width_ + mix.box.left);
    }
  }
}

Episodes ContrastiveViews::draw(const TaskSource& source, const Moment& now, int64_t count) const {
  const int64_t n = config_.images, again = turned_views();
  const auto empty = [&](int64_t samples) {
    return torch::empty({count, samples, channels_, height_, width_}, torch::kFloat32);
  };
  const torch::Tensor numbers = torch::arange(n, torch::kInt64);
  std::vector<torch::Tensor> query_y{numbers};
  if (mixed() > 0) query_y.push_back(numbers);
  if (again > 0) query_y.push_back(numbers.repeat({2}).narrow(0, 0, again));
  Episodes out{empty(n), empty(n + mixed() + again), numbers.expand({count, n}).contiguous(),
               torch::cat(query_y).expand({count, n + mixed() + again}).contiguous()};
  const int64_t size = augmentation_.image_size();
  for (int64_t t = 0; t < count; ++t) {
    const torch::Tensor images = source.labelled(now.iteration, now.first_task + t, n).support_x.contiguous();
    float* first = out.support_x.data_ptr<float>() + t * n * size;
    float* second = out.query_x.data_ptr<float>() + t * out.query_x.size(1) * size;
    draw_views(images.data_ptr<float>(), now, t, first, second);
    if (mixed() > 0) draw_mixed(second, mix(now, t), second + n * size);
    float* to = second + (n + mixed()) * size;
    const auto quarters = turns(now, t);
    for (int64_t i = 0; i < again; ++i, to += size) {
      const float* view = i < n ? first + i * size : second + (i - n) * size;
      turned({channels_, height_, width_}, view, quarters[static_cast<size_t>(i)], to);
    }
  }
  return out;
}

}  // namespace innerloop
