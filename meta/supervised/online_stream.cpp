#include "meta/supervised/online_stream.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/numbered_tasks.h"

namespace innerloop {
namespace {

// Sample `from` of x [1, samples, ...] into sample `to` of slice t of y [T, samples, ...], of the same type.
void copy_sample(const torch::Tensor& x, int64_t from, const torch::Tensor& y, int64_t t, int64_t to) {
  const auto bytes = static_cast<int64_t>(x.element_size()) * (x.numel() / x.size(1));
  std::memcpy(static_cast<char*>(y.data_ptr()) + (t * y.size(1) + to) * bytes,
              static_cast<const char*>(x.data_ptr()) + from * bytes, static_cast<size_t>(bytes));
}

}  // namespace

OnlineStream::OnlineStream(const SupervisedMetaConfig& config, const OnlineConfig& online, int64_t held_out,
                           const Dataset& dataset)
    : shape_(config.shape), online_(online), held_out_(held_out), seed_(config.seed), dataset_(dataset) {
  const int64_t drawn = shape_.shots + shape_.queries;
  require_usage(online.rounds >= 1, "online.rounds: ", online.rounds, " found, expected 1 or more");
  require_usage(held_out >= 1, "online: ", held_out, " samples held out, expected 1 or more of each class");
  require_usage(online.batch >= drawn, "online.batch: ", online.batch, " samples", ways_text(),
                " found; an update draws dataset.shots + dataset.queries = ", drawn,
                " of the first batch, expected as many or more");
  dataset.check(Split::kTrain, {shape_.ways, online.batches * online.batch, held_out});
  const NumberedTasks* numbered = numbered_tasks(dataset);
  if (numbered == nullptr) return;
  require_usage(online.rounds <= numbered->tasks(), "online.rounds: ", online.rounds, " found, ",
                dataset.spec().name, " has ", numbered->tasks(), " tasks");
  require_usage(shape_.ways == dataset.classes(Split::kTrain), "dataset.ways: ", shape_.ways,
                " found; the tasks of ", dataset.spec().name, " share their ", dataset.classes(Split::kTrain),
                " classes, expected ", dataset.classes(Split::kTrain));
  Stream stream(StreamKey{seed_, Purpose::kOnlineOrder});
  Permutation order(numbered->tasks(), stream);
  for (int64_t round = 0; round < online.rounds; ++round) order_.push_back(order.next());
}

std::string OnlineStream::ways_text() const { return shape_.ways > 1 ? " of each class" : ""; }

void OnlineStream::reach(int64_t round) {
  require(round < online_.rounds, "online: round ", round + 1, " asked for, there are ", online_.rounds);
  const EpisodeShape all{shape_.ways, online_.batches * online_.batch, held_out_};
  while (static_cast<int64_t>(data_.size()) <= round) {
    const auto next = data_.size();
    Stream stream(StreamKey{seed_, Purpose::kOnlineTask, next});
    Episodes episodes = make_episodes(dataset_.spec(), all, 1);
    if (order_.empty()) {
      dataset_.draw(Split::kTrain, all, stream, episodes, 0);
    } else {
      numbered_tasks(dataset_)->draw_numbered(order_[next], all, stream, episodes, 0);
    }
    data_.push_back(std::move(episodes));
  }
}

std::string OnlineStream::task_name(int64_t round) const {
  if (order_.empty()) return concat("task ", round + 1);
  return numbered_tasks(dataset_)->task_name(order_.at(static_cast<size_t>(round)));
}

int64_t OnlineStream::samples(int64_t batches) const { return shape_.ways * batches * online_.batch; }

double OnlineStream::bytes() const {
  double numbers = 4;
  for (const int64_t size : dataset_.spec().input) numbers *= static_cast<double>(size);
  return numbers * static_cast<double>(online_.rounds) *
         static_cast<double>(samples(online_.batches) + shape_.ways * held_out_);
}

EpisodeShape OnlineStream::held_out_shape(const Now& now) const {
  return {shape_.ways, now.batches * online_.batch, held_out_};
}

Episodes OnlineStream::held_out(const Now& now) const {
  const auto& data = data_.at(static_cast<size_t>(now.round));
  const auto arrived = [&](const torch::Tensor& of) {
    auto sizes = of.sizes().vec();
    const int64_t each = sizes[1] / shape_.ways;
    std::vector<int64_t> by_class{shape_.ways, each};
    by_class.insert(by_class.end(), sizes.begin() + 2, sizes.end());
    sizes[1] = samples(now.batches);
    return of.view(by_class).narrow(1, 0, now.batches * online_.batch).reshape(sizes).contiguous();
  };
  return {arrived(data.support_x), data.query_x, arrived(data.support_y), data.query_y};
}

OnlineStream::Range OnlineStream::range(OnlineRule::Tasks tasks, int64_t round) const {
  if (tasks == OnlineRule::Tasks::kCurrent) return {round, round};
  const int64_t last = tasks == OnlineRule::Tasks::kSoFar ? round : std::max<int64_t>(0, round - 1);
  return {online_.buffer == 0 ? 0 : std::max<int64_t>(0, last + 1 - online_.buffer), last};
}

Episodes OnlineStream::draw(OnlineRule::Tasks tasks, const Now& now, int64_t update, int64_t first,
                            int64_t count) const {
  Episodes out = make_episodes(dataset_.spec(), shape_, count);
  for (int64_t t = 0; t < count; ++t) {
    Stream stream(StreamKey{seed_, Purpose::kOnlineDraw, static_cast<uint64_t>(update),
                            static_cast<uint64_t>(first + t)});
    copy(now, stream, tasks, out, t);
  }
  return out;
}

void OnlineStream::copy(const Now& now, Stream& stream, OnlineRule::Tasks tasks, Episodes& to,
                        int64_t t) const {
  const Range range = this->range(tasks, now.round);
  const int64_t round =
      range.first + static_cast<int64_t>(stream.below(static_cast<uint64_t>(range.last - range.first + 1)));
  const auto& from = data_.at(static_cast<size_t>(round));
  const int64_t each = online_.batches * online_.batch;
  const int64_t arrived = round < now.round ? each : now.batches * online_.batch;
  for (int64_t label = 0; label < shape_.ways; ++label) {
    Permutation chosen(arrived, stream);
    for (int64_t i = 0; i < shape_.shots; ++i) {
      const int64_t sample = label * each + chosen.next();
      copy_sample(from.support_x, sample, to.support_x, t, label * shape_.shots + i);
      copy_sample(from.support_y, sample, to.support_y, t, label * shape_.shots + i);
    }
    for (int64_t i = 0; i < shape_.queries; ++i) {
      const int64_t sample = label * each + chosen.next();
      copy_sample(from.support_x, sample, to.query_x, t, label * shape_.queries + i);
      copy_sample(from.support_y, sample, to.query_y, t, label * shape_.queries + i);
    }
  }
}

}  // namespace innerloop
