#include "meta/algorithms/siamese.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/sigmoid.h>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/dataset.h"
#include "meta/algorithms/affine_distortion.h"
#include "meta/algorithms/nearest_support.h"
#include "meta/feature_classifier.h"
#include "meta/pair_similarity.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kSiamesePrefix = "siamese.";

struct SiameseConfig {
  int64_t units = 4096;
  int64_t pairs = 32;
  int64_t distortions = 0;
  double l2 = 0;
};

const Keys<SiameseConfig>& siamese_keys() {
  using C = SiameseConfig;
  constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  static const Keys<C> list{
      keys::whole("units", &C::units, 0, 1'000'000,
                  "of the sigmoid layer that is compared, 0 = no such layer"),
      keys::whole("pairs", &C::pairs, 1, 1'000'000, "of a training task, half of them of one class"),
      keys::whole("distortions", &C::distortions, 0, 1'000,
                  "affinely distorted copies of a pair beside itself, one of which is drawn; 0 = itself"),
      keys::number("l2", &C::l2, kWeight, "times the sum of all squared weights, in the loss")};
  return list;
}

// p of pairs before the sigmoid, [T, pairs]; h [T, pairs, units].
Tensor siamese_logit(const Tensor& a, const Tensor& b, const Params& own) {
  return ((a - b).abs() * own.at("siamese.alpha.weight")).sum(2) + own.at("siamese.alpha.bias");
}

// The samples of each task at its places, [T, places, units].
Tensor siamese_samples(const Tensor& h, const Tensor& places) {
  return h.gather(1, places.unsqueeze(2).expand({-1, -1, h.size(2)}));
}

class Siamese : public DirectMethod, public PairSimilarity {
 public:
  Siamese(const SiameseConfig& config, const MethodContext& context)
      : DirectMethod(context, /*outputs=*/0), config_(config), features_(feature_width(context)) {}

  Params initial(Stream& stream) const override {
    const Params network = DirectMethod::initial(stream);
    const auto biases = [&](int64_t count) { return 0.5 + normal_weights(stream, {1, count}, 0.01); };
    const int64_t compared = config_.units > 0 ? config_.units : features_;
    std::vector<Params::Entry> own;
    if (config_.units > 0) {
      own.push_back({"siamese.layer.weight", normal_weights(stream, {1, config_.units, features_}, 0.2)});
      own.push_back({"siamese.layer.bias", biases(config_.units)});
    }
    own.push_back({"siamese.alpha.weight", normal_weights(stream, {1, 1, compared}, 0.2)});
    own.push_back({"siamese.alpha.bias", biases(1)});
    return network.joined(Params(std::move(own)));
  }

  Params initialisation(const Params& meta) const override { return meta.without(kSiamesePrefix); }

  Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override {
    const auto [e, pairs] = compared_pairs(tasks.episodes(), now);
    return head_loss(*head(meta, pairs),
                     tasks.network().forward(meta, torch::cat({e.support_x, e.query_x}, 1)), meta);
  }

  // Through the network's kernels.
  std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                  const Moment& now) const override {
    auto [e, pairs] = compared_pairs(tasks.episodes(), now);
    return tasks.with(std::move(e)).loss_at(Part::kBoth, meta, head(meta, pairs));
  }

  Tensor query_scores(const Params& meta, const EpisodeTask& tasks, const Moment&) const override {
    const torch::NoGradGuard no_graph;
    const Tensor& labels = tasks.episodes().support_y;
    const Tensor h = compared(tasks.output(Part::kBoth, meta), meta);
    const int64_t supports = labels.size(1);
    const Tensor query = h.narrow(1, supports, h.size(1) - supports);
    const Tensor logit = similarity(meta, query, h.narrow(1, 0, supports));
    return best_of_class(logit, labels, labels.max().item<int64_t>() + 1);
  }

  Tensor embedding(const Params& meta, const Tensor& x, const Pass& pass) const override {
    return compared(network(false).features(meta, x, pass), meta);
  }
  // p of each pair before the sigmoid.
  Tensor similarity(const Params& meta, const Tensor& a, const Tensor& b) const override {
    std::vector<Tensor> logit;  // one sample of b at a time: [T, N, M, units] would be large
    for (int64_t j = 0; j < b.size(1); ++j) logit.push_back(siamese_logit(a, b.narrow(1, j, 1), meta));
    return torch::stack(logit, 2);
  }

 private:
  // h of features, [T, N, units].
  Tensor compared(const Tensor& features, const Params& own) const {
    if (config_.units == 0) return features;
    return torch::sigmoid(linear(features, own.at("siamese.layer.weight"), own.at("siamese.layer.bias")));
  }

  // The samples to pass through the network and their pairs: the task's own, or with distortions the first of
  // each pair and then the second.
  std::pair<Episodes, SiamesePairs> compared_pairs(const Episodes& e, const Moment& now) const {
    const Tensor labels = torch::cat({e.support_y, e.query_y}, 1);
    auto pairs = siamese_pairs(labels, config_.pairs, now);
    if (config_.distortions == 0) return {e, pairs};
    const Tensor samples = torch::cat({e.support_x, e.query_x}, 1);
    const auto distort = drawn_distortions(pairs.first.size(0), now);
    std::vector<std::vector<Tensor>> sides;
    for (const auto* places : {&pairs.first, &pairs.second}) sides.push_back(samples_at(samples, *places));
    for (const auto& [task, pair, side, map] : distort) {
      Tensor image = sides[side][static_cast<size_t>(task)][pair];
      image.copy_(distorted(image, map));
    }
    const Tensor first = torch::arange(config_.pairs).expand({labels.size(0), -1});
    return {{.support_x = torch::stack(sides[0]),
             .query_x = torch::stack(sides[1]),
             .support_y = labels.gather(1, pairs.first),
             .query_y = labels.gather(1, pairs.second)},
            {first, first + config_.pairs, pairs.same}};
  }

  // The samples [samples, ...] of each task at its places, copied.
  static std::vector<Tensor> samples_at(const Tensor& samples, const Tensor& places) {
    std::vector<Tensor> out;
    for (int64_t t = 0; t < places.size(0); ++t) out.push_back(samples[t].index_select(0, places[t]));
    return out;
  }

  struct Distortion {
    int64_t task, pair;
    size_t side;
    AffineMap map;
  };
  std::vector<Distortion> drawn_distortions(int64_t tasks, const Moment& now) const {
    std::vector<Distortion> out;
    for (int64_t t = 0; t < tasks; ++t) {
      Stream stream(StreamKey{now.seed, Purpose::kAugmentation, static_cast<uint64_t>(now.iteration),
                              static_cast<uint64_t>(now.first_task + t)});
      for (int64_t p = 0; p < config_.pairs; ++p) {
        const bool itself = stream.below(static_cast<uint64_t>(config_.distortions) + 1) == 0;
        for (size_t side = 0; side < 2; ++side) {
          const AffineMap map = affine_map(draw_affine_parts(stream));
          if (!itself) out.push_back({t, p, side, map});
        }
      }
    }
    return out;
  }

  std::shared_ptr<const Head> head(const Params& meta, const SiamesePairs& pairs) const {
    std::vector<std::string> reads;
    for (const auto& name : meta.names()) {
      if (config_.l2 > 0 || name.rfind(kSiamesePrefix, 0) == 0) reads.push_back(name);
    }
    return make_head(
        [this, pairs](const Tensor& features, const Params& own) { return loss_of(features, own, pairs); },
        std::move(reads));
  }

  Tensor loss_of(const Tensor& features, const Params& own, const SiamesePairs& pairs) const {
    const Tensor h = compared(features, own);
    const Tensor logit =
        siamese_logit(siamese_samples(h, pairs.first), siamese_samples(h, pairs.second), own);
    const Tensor sign = (2 * pairs.same - 1).to(logit.scalar_type());
    Tensor out = -torch::log_sigmoid(sign * logit).mean(1);
    if (config_.l2 == 0) return out;
    for (const auto& entry : own) {
      if (entry.name.ends_with("weight")) out = out + config_.l2 * entry.value.flatten(1).square().sum(1);
    }
    return out;
  }

  SiameseConfig config_;
  int64_t features_;
};

}  // namespace

SiamesePairs siamese_pairs(const Tensor& labels, int64_t pairs, const Moment& now) {
  const int64_t tasks = labels.size(0), samples = labels.size(1);
  const Tensor first = torch::empty({tasks, pairs}, torch::kInt64), second = torch::empty_like(first),
               same = torch::empty_like(first);
  for (int64_t t = 0; t < tasks; ++t) {
    const Tensor row = labels[t].contiguous();
    std::vector<std::vector<int64_t>> classes(static_cast<size_t>(row.max().item<int64_t>()) + 1);
    for (int64_t i = 0; i < samples; ++i) {
      classes[static_cast<size_t>(row.data_ptr<int64_t>()[i])].push_back(i);
    }
    Stream stream = now.stream(t);
    for (int64_t p = 0; p < pairs; ++p) {
      const bool one_class = p % 2 == 0;
      Permutation draw(static_cast<int64_t>(classes.size()), stream);
      const auto& a = classes[static_cast<size_t>(draw.next())];
      const auto& b = one_class ? a : classes[static_cast<size_t>(draw.next())];
      Permutation of_a(static_cast<int64_t>(a.size()), stream);
      const int64_t i = of_a.next();
      const int64_t j =
          one_class ? of_a.next() : static_cast<int64_t>(stream.below(static_cast<uint64_t>(b.size())));
      const auto put = [&](const Tensor& to, int64_t value) {
        to.data_ptr<int64_t>()[t * pairs + p] = value;
      };
      put(first, a[static_cast<size_t>(i)]);
      put(second, b[static_cast<size_t>(j)]);
      put(same, one_class ? 1 : 0);
    }
  }
  return {first, second, same};
}

Algorithm siamese() {
  return {.name = "siamese",
          .paper = "Koch et al. 2015",
          .summary = "learns whether two samples are of one class; the likeliest support sample's class",
          .prescribes = {{"inner.steps", "0"}},
          .keys = siamese_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = siamese_keys().read(own, "algorithm siamese", "siamese");
            const auto& spec = context.dataset->spec();
            require_usage(spec.classification, "algorithm siamese needs classes; the data set ", spec.name,
                          " has none");
            require_usage(context.shape.ways >= 2, "dataset.ways: ", context.shape.ways,
                          " found, expected 2 or more: siamese trains on pairs of different classes too");
            require_usage(config.distortions == 0 || spec.input.size() == 3,
                          "siamese.distortions: ", config.distortions, " found, but samples of the data set ",
                          spec.name, " are no images; expected 0");
            return std::make_unique<Siamese>(config, context);
          }};
}

}  // namespace innerloop
